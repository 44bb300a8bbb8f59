/** What an operator types about tickets of Linear, with the program as it ships. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { exitCodes } from "../../src/problems.ts";
import { run } from "../cli/run.ts";
import { openLinearWorld, type LinearWorld } from "../linear-world.ts";

let world: LinearWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

test("every command about a ticket takes it by its identifier, alone and with its workspace", async () => {
  const play = (world = await openLinearWorld());
  const { bob, eng, environment, dir } = play;
  const at = ["--database", environment.database];
  const issue = bob.open(eng, "Say done", { description: "Write src/done.txt." });
  bob.drag(issue, "Ready for Dev");
  await play.untilCard(issue, "In Review");
  await play.settled();
  const type = async (...words: readonly string[]): Promise<string> => {
    const { out, err, code } = await run([...words, ...at]);
    if (code !== 0 && code !== exitCodes.waiting)
      throw new Error(`${words.join(" ")} ended with ${code}: ${err}`);
    return out;
  };
  expect(await type("explain", "ENG-1")).toContain("acme/ENG-1");
  expect(await type("explain", "acme/ENG-1")).toContain("In Review");
  expect(await type("ps")).toContain("acme/ENG-1");
  expect(await type("inspect", "eng-1")).toContain("forgehand/eng-1-say-done");
  expect(await type("inspect", play.idOf(issue))).toContain("acme/ENG-1");
  expect(await type("logs", "ENG-1")).toContain(`${play.idOf(issue)}/`);
  const [gate = ""] = (await play.forgehand.store.sessionsOf(play.idOf(issue))).map((one) => one.run);
  expect(await type("inspect", gate)).toContain("gate");
  const travels = await run(["rewind", gate, "--frame", "1", ...at]);
  expect(travels.err).toContain("is a run of a ticket");
  const retried = await run(["retry", "ENG-1", ...at]);
  expect([retried.code, retried.err]).toEqual([
    exitCodes.usage,
    expect.stringContaining("there is nothing to retry"),
  ]);
  expect(await type("approve", "acme/ENG-1")).toContain("acme/ENG-1: approve");
  await play.people.approve(await play.pullOfCard(issue), "bob");
  await play.untilCard(issue, "Done");
  await play.settled();
  expect(await type("ledger", "verify")).toContain("The ledger holds");
  const certificate = join(dir, "certificate.json");
  const ledger = join(dir, "ledger.ndjson");
  writeFileSync(certificate, await type("certificate", "show", "ENG-1", "--json"));
  await type("ledger", "export", "--out", ledger);
  const verified = await run([
    "certificate",
    "verify",
    certificate,
    "--clone",
    play.repo.dir,
    "--ledger",
    ledger,
  ]);
  expect([verified.code, verified.out]).toEqual([0, expect.stringContaining("The certificate holds")]);
  const unknown = await run(["explain", "acme/ENG-7", ...at]);
  expect([unknown.code, unknown.err]).toEqual([exitCodes.notFound, expect.stringContaining("ENG-42")]);
});
