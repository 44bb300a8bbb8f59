import { afterEach, beforeEach, expect, test } from "vitest";
import type { LinearFacts } from "../../src/ports-linear-issues.ts";
import { findRepository } from "../../src/shell/linear-repository.ts";
import type { LinearSide } from "../../src/shell/workshop.ts";
import type { TicketEvent } from "../../src/state-machine/event.ts";
import { linearTicketId } from "../../src/state-machine/ticket-id.ts";
import { caps } from "../caps.ts";
import { openStand, type Stand } from "./stand.ts";

const issue = { workspace: "acme", issue: "one" };
const id = linearTicketId(issue);
const branch = "bob/eng-1-say-done";
// As much of them as the reading asks for.
const linear = { offeredTo: (_, all) => all, routes: [] } as Partial<LinearSide> as LinearSide;
const facts = (body: string): LinearFacts =>
  ({
    ...issue,
    id,
    number: 1,
    ref: "acme/ENG-1",
    title: "Say done",
    body,
    labels: [],
    branch,
    team: { id: "t", key: "ENG", name: "Engineering" },
  }) as Partial<LinearFacts> as LinearFacts;
const named = { number: 1, title: "Say done", url: "", author: "a", branch };
const policy = { maxAttempts: 3, maxCycles: 3, maxUnreviewed: 3, mergeAfterApproval: true };

let stand: Stand;
beforeEach(async () => {
  stand = await openStand();
  for (const [repo, name] of [
    [11, "shop"],
    [12, "site"],
  ] as const)
    await stand.store.knowRepo({
      id: repo,
      owner: "acme",
      name,
      installation: 1,
      defaultBranch: "main",
      private: true,
    });
  await stand.store.name(id, { ...named, repo: 11, ref: "acme/ENG-1" }, 1);
});
afterEach(() => stand.close());

const find = async (body: string) =>
  await findRepository({ store: stand.store }, linear, facts(body), await stand.store.load(id));

test("a ticket moves while nothing was built of it", async () => {
  expect(await find("[repo=acme/site]")).toMatchObject({ is: "known", repo: { name: "site" } });
  expect(await stand.store.load(id)).toMatchObject({ repo: 12, branch });
});

test.each<[string, TicketEvent]>([
  [
    "that had a pull request stays with it, although a reset forgot both",
    { type: "pr.opened", pull: 5, head: "a".repeat(40) },
  ],
  ["stays where a person consented to its merge", { type: "automerge.set", on: true }],
])("a ticket %s", async (_, event) => {
  const order = { actor: "ada", policy, caps, runLimitMs: 1_000, now: 10 };
  await stand.store.commit({ ...order, ticket: id, eventId: "it", event }, (before) => ({
    after: { ...before, autoMerge: event.type === "automerge.set" },
    effects: [],
    row: "a row",
  }));
  expect(await find("[repo=acme/site]")).toMatchObject({ is: "known", repo: { name: "shop" } });
  expect(await stand.store.load(id)).toMatchObject({ repo: 11 });
});
