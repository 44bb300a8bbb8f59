/** When the remote is asked beforehand, and when what it said is not new enough. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Remote, Repo } from "../../src/ports.ts";
import { blockersOf } from "../../src/shell/blockers.ts";
import { hear } from "../../src/shell/hear.ts";
import type { Workshop } from "../../src/shell/workshop.ts";
import { openStand, ticketAt, type Stand } from "./stand.ts";

let stand: Stand;
let told: string[];
let shop: Workshop;
beforeEach(async () => {
  stand = await openStand();
  told = [];
  shop = {
    ...stand.shop,
    remoteOf: (repo: Repo) => ({ repo, url: `http://forge/${repo.name}.git` }),
    foresight: {
      expect: ({ url }: Remote, prefix) => void told.push(`${url} ${prefix}`),
      forget: ({ url }: Remote) => void told.push(`forget ${url}`),
    },
  };
});
afterEach(() => stand.close());

const labelled = (label: string, sender = { login: "bob", id: 2, type: "User" }) =>
  hear(shop, {
    seq: 1,
    id: "d1",
    source: "github",
    name: "issues",
    action: "labeled",
    body: JSON.stringify({
      action: "labeled",
      label: { name: label },
      issue: { number: 7, title: "t", body: "b", state: "open", labels: [] },
      repository: { id: 1, full_name: "o/r", private: false, default_branch: "main", owner: { login: "o" } },
      sender,
      installation: { id: 1 },
    }),
  } as Parameters<typeof hear>[1]);

test("the label that releases a ticket has its branch asked for, before anybody knows the ticket", async () => {
  await labelled("agent-ready");
  expect(told).toEqual(["http://forge/r.git forgehand/7-"]);
});

test("of a ticket that is known, exactly its branch", async () => {
  await ticketAt(stand, 7, { state: "Backlog" });
  await labelled("Agent-Ready");
  expect(told).toEqual(["http://forge/r.git forgehand/7-t"]);
});

test("nobody is asked for another label, or for one that no person set", async () => {
  await labelled("auto-merge");
  await labelled("agent-ready", { login: "ci[bot]", id: 3, type: "Bot" });
  expect(told).toEqual([]);
});

test.each([
  ["nothing", "b", [], []],
  ["what its tracker names", "b", [{ ref: "o/r#8", is: "completed" }], ["forget http://forge/r.git"]],
  ["what its text names", "Depends on #8", [], ["forget http://forge/r.git"]],
] as const)("a ticket that depends on %s", async (_, body, dependencies, forgotten) => {
  await stand.store.keepSpec("s", "t", body);
  const id = await ticketAt(stand, 7, { state: "Ready", spec: "s" });
  const stored = await stand.store.load(id);
  const repo = await stand.store.repoById(1);
  const tracker = { ...shop.tracker, dependencies: async () => dependencies } as Workshop["tracker"];
  if (stored === undefined || repo === undefined) throw new Error("the stand lacks its ticket");
  await blockersOf({ ...shop, tracker }, stored, repo);
  expect(told).toEqual(forgotten);
});
