import Database from "better-sqlite3";
import { afterEach, expect, test } from "vitest";
import { join } from "node:path";
import { openWorld, type World } from "../world.ts";
import { run } from "./run.ts";

let world: World;
afterEach(() => world.close());

test("the anchors on the forge show a ledger that was cut together with its tickets", async () => {
  world = await openWorld();
  const { people, hub } = world;
  const issue = people.openIssue({
    by: "bob",
    title: "Say done",
    body: "Write src/done.txt with the word done.",
  });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await people.approve(await world.pullOf(issue), "bob");
  await world.untilState(issue, "Done");
  await world.settled();
  const database = join(world.dir, "data", "forgehand.db");
  const env = {
    FORGEHAND_APP_ID: String(hub.state.app.id),
    FORGEHAND_PRIVATE_KEY: hub.state.app.privateKey,
    FORGEHAND_WEBHOOK_SECRET: hub.state.app.webhookSecret,
    FORGEHAND_GITHUB_API_URL: hub.url,
  };
  const whole = await run(["ledger", "verify", "--online", "--database", database], env);
  expect(whole.out).toMatch(/, [1-9]\d* anchors met/u);
  expect(whole.code).toBe(0);

  const copy = join(world.dir, "copy.db");
  new Database(database).exec(`vacuum into '${copy}'`).close();
  const forged = new Database(copy);
  forged.exec("update ledger set hash = upper(hash) where seq = (select max(seq) from ledger)");
  forged.close();
  expect((await run(["ledger", "verify", "--online", "--database", copy], env)).code).toBe(1);

  const cut = new Database(copy);
  // The last merge's lines go, and its ticket is put back to match: only the forge remembers.
  cut.exec("delete from ledger; update ticket set version = 0, state = 'Done'");
  cut.close();
  const { code, out } = await run(["ledger", "verify", "--online", "--database", copy], env);
  expect(out).toMatch(/lines are missing at the end: line \d+ is anchored outside the database/u);
  expect(code).toBe(1);

  // With the ticket itself gone the database speaks of no merge at all.
  const lost = new Database(copy);
  lost.exec("delete from ticket");
  lost.close();
  const without = await run(["ledger", "verify", "--online", "--database", copy], env);
  expect(without.out).toMatch(/lines are missing at the end: line \d+ is anchored outside the database/u);
  expect(without.code).toBe(1);
});
