import { parse, validate } from "graphql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as documents from "../../src/adapters/linear/documents.ts";
import { linearIssueOf } from "../../src/state-machine/ticket-id.ts";
import { personOn } from "../../src/simulator/linear/people.ts";
import { linearSchema } from "../../src/simulator/linear/schema.ts";
import { everyScope } from "../simulator/linear/stand.ts";
import { linearStage, trouble, type LinearStage } from "./linear-stage.ts";

let s: LinearStage;
beforeEach(async () => (s = await linearStage()));
afterEach(() => s.close());

test("every document we send is valid against Linear's schema", () => {
  const all = Object.values(documents).filter(
    (one): one is typeof documents.viewerQuery => typeof one === "object" && "text" in one,
  );
  expect(all.length).toBeGreaterThan(15);
  const wrong = all.flatMap(({ name, text }) =>
    validate(linearSchema(), parse(text)).map(({ message }) => `${name}: ${message}`),
  );
  expect(wrong).toEqual([]);
});

describe("an issue", () => {
  test("is told as a ticket, with what only Linear knows", async () => {
    const cycle = s.linear.cycle(s.eng, { startsAt: 0, endsAt: 10, name: "First" });
    const project = s.linear.project(s.acme, { name: "Greeter", teams: [s.eng] });
    const parent = s.ada.open(s.eng, "Parent");
    const issue = s.bob.open(s.eng, "Greet", {
      description: "Say hello.",
      priority: 2,
      parent,
      cycle,
      project,
      assignee: s.ada.user,
    });
    s.ada.label(issue, "agent-ready");
    s.ada.delegate(issue, s.install.user);
    s.ada.drag(issue, "In Progress");
    const facts = await s.issues.ticket(s.ref(issue));
    expect(facts).toMatchObject({
      id: `linear:${s.acme.id}/${issue.id}`,
      ref: "acme/ENG-2",
      identifier: "ENG-2",
      title: "Greet",
      body: "Say hello.",
      open: true,
      declined: false,
      labels: ["agent-ready"],
      author: "bob",
      priority: 2,
      number: 2,
      branch: "forgehand/eng-2-greet",
      state: { name: "In Progress", category: "started" },
      means: "In Progress",
      team: { id: s.eng.id, key: "ENG" },
      cycle: "other",
      project: { name: "Greeter" },
      parent: { issue: parent.id, ref: "acme/ENG-1" },
      creator: { displayName: "bob", app: false },
      assignee: { displayName: "ada", gitHubUserId: "1" },
      delegate: { id: s.install.user.id, app: true },
      isOurs: true,
    });
    expect(linearIssueOf(facts?.id ?? "")).toEqual(s.ref(issue));
    expect(linearIssueOf("github:1#2")).toBeUndefined();
    expect(s.asked()).toEqual(["viewer", "organization", "issue"]);
  });

  test("is done, or given up, or open, by the category of its state", async () => {
    const issue = s.ada.open(s.eng, "Ends");
    const seen: unknown[] = [];
    for (const state of ["Done", "Canceled", "Duplicate", "Todo"]) {
      s.ada.drag(issue, state);
      const facts = await s.issues.ticket(s.ref(issue));
      seen.push([facts?.open, facts?.declined]);
    }
    expect(seen).toEqual([
      [false, false],
      [false, true],
      [false, true],
      [true, false],
    ]);
  });

  test("that was archived, deleted, thrown away or never was is undefined, and nothing is written to it", async () => {
    const [archived, binned, destroyed] = ["a", "b", "c"].map((title) => s.ada.open(s.eng, title));
    if (archived === undefined || binned === undefined || destroyed === undefined)
      throw new Error("no issues");
    s.ada.archive(archived);
    s.ada.delete(binned);
    s.ada.delete(destroyed, "for good");
    for (const issue of [archived, binned, destroyed]) {
      const ref = s.ref(issue);
      expect(await s.issues.ticket(ref)).toBeUndefined();
      expect(await s.issues.history(ref)).toBeUndefined();
      await s.issues.move("k" as never, ref, "Done");
      await s.issues.setLabels("k" as never, ref, { add: ["needs-spec"], remove: [] });
      expect(await s.issues.upsertComment("k" as never, ref, "workpad", "Hello")).toBeUndefined();
      await s.issues.react("k" as never, ref, undefined, "eyes");
      await s.issues.attach("k" as never, ref, { url: "https://git.example/1", title: "PR" });
    }
    expect(await s.issues.ticket({ workspace: s.acme.id, issue: "ENG-99" })).toBeUndefined();
    expect(s.linear.world.tables.Comment).toEqual([]);
    expect(s.linear.world.tables.Attachment).toEqual([]);
    s.ada.unarchive(archived);
    expect(await s.issues.ticket(s.ref(archived))).toMatchObject({ title: "a" });
  });

  test("keeps its id in another team, where its identifier is another", async () => {
    const ops = s.linear.team(s.acme, { key: "OPS", members: [s.ada.user] });
    const issue = s.ada.open(s.eng, "Wanders");
    s.ada.edit(issue, { team: ops });
    expect(await s.issues.ticket(s.ref(issue))).toMatchObject({ ref: "acme/OPS-1", team: { key: "OPS" } });
  });

  test("may have more labels than come with it", async () => {
    const issue = s.ada.open(s.eng, "Much labelled");
    const names = Array.from({ length: 130 }, (_, at) => `label-${at}`);
    s.ada.label(issue, ...names);
    const facts = await s.issues.ticket(s.ref(issue));
    expect(facts?.labels.toSorted()).toEqual(names.toSorted());
  });
});

describe("what changed since", () => {
  test("is all that changed, what bears our labels, and what is delegated to us; oldest change first", async () => {
    const [old, labelled, delegated, done] = ["old", "labelled", "delegated", "done"].map((title) =>
      s.ada.open(s.eng, title),
    );
    if (!old || !labelled || !delegated || !done) throw new Error("no issues");
    s.ada.label(labelled, "agent-ready");
    s.ada.delegate(delegated, s.install.user);
    s.ada.label(done, "agent-ready");
    s.ada.drag(done, "Done");
    await s.clock.advance(10_000);
    const since = s.clock.now();
    const late = s.ada.open(s.eng, "late");
    await s.clock.advance(10_000);
    s.ada.edit(labelled, { priority: 1 });
    const found = await s.issues.changedSince(s.acme.id, since);
    expect(found.map(({ title }) => title)).toEqual(["delegated", "late", "labelled"]);
    expect(late.updatedAt).toBe(since);
  });

  test("comes in pages that no single query is too large for", async () => {
    for (let at = 0; at < 230; at++) {
      s.ada.open(s.eng, `Issue ${at}`);
      if (at % 50 === 0) await s.clock.advance(1_000);
    }
    const found = await s.issues.changedSince(s.acme.id, 0);
    expect(new Set(found.map(({ id }) => id)).size).toBe(230);
    expect(found.map(({ updatedAt }) => updatedAt)).toEqual(
      found.map(({ updatedAt }) => updatedAt).toSorted((one, other) => one - other),
    );
    const costs = s.linear.calls
      .filter(({ roots }) => roots[0] === "issues")
      .map(({ complexity }) => complexity);
    expect(costs).toHaveLength(3);
    expect(Math.max(...costs)).toBeLessThan(10_000);
  });

  test("is all or Trouble, never half: a page that fails spoils the whole", async () => {
    for (let at = 0; at < 120; at++) s.ada.open(s.eng, `Issue ${at}`);
    await s.issues.identity(s.acme.id);
    s.linear.fail({ is: "partial", of: /^issues$/, path: "issues.pageInfo", message: "out of order" });
    expect(await trouble(() => s.issues.changedSince(s.acme.id, 0))).toMatchObject({
      code: "linear-partial",
    });
  });
});

describe("what an issue waits for", () => {
  test("is what blocks it and its own sub-issues, each with how it stands", async () => {
    const issue = s.ada.open(s.eng, "Waits");
    const [open, done, dropped, child] = ["open", "done", "dropped"]
      .map((title) => s.ada.open(s.eng, title))
      .concat(s.ada.open(s.eng, "child", { parent: issue }));
    if (!open || !done || !dropped || !child) throw new Error("no issues");
    expect(await s.issues.dependencies(s.ref(open))).toEqual([]);
    for (const one of [open, done, dropped]) s.ada.block(issue, one);
    s.ada.block(child, issue);
    s.ada.drag(done, "Done");
    s.ada.delete(dropped);
    const found = await s.issues.dependencies(s.ref(issue));
    expect(found.map(({ ref, is, by }) => `${ref} ${is} ${by}`).toSorted()).toEqual([
      "acme/ENG-2 open blocks",
      "acme/ENG-3 completed blocks",
      "acme/ENG-4 declined blocks",
      "acme/ENG-5 open sub-issue",
    ]);
    expect(found.find(({ by }) => by === "sub-issue")?.id).toBe(`linear:${s.acme.id}/${child.id}`);
  });
});

describe("the history of an issue", () => {
  test("says who set and removed labels, changed the text and moved the card, and when", async () => {
    const ready = s.ada.newLabel("agent-ready");
    const issue = s.bob.open(s.eng, "Told", { labels: [ready] });
    const born = s.clock.now();
    await s.clock.advance(1_000);
    s.ada.unlabel(issue, "agent-ready");
    await s.clock.advance(1_000);
    s.ada.label(issue, "agent-ready", "bug");
    await s.clock.advance(1_000);
    s.bob.edit(issue, { description: "More" });
    const changed = s.clock.now();
    await s.clock.advance(1_000);
    s.ada.drag(issue, "In Progress");
    const history = await s.issues.history(s.ref(issue));
    expect(history?.labels.map(({ label, is, by, at }) => [label, is, by, at - born])).toEqual([
      ["agent-ready", "set", "bob", 0],
      ["agent-ready", "removed", "ada", 1_000],
      ["agent-ready", "set", "ada", 2_000],
      ["bug", "set", "ada", 2_000],
    ]);
    expect(history?.labels[1]?.person).toMatchObject({ id: s.ada.user.id, gitHubUserId: "1", app: false });
    expect(history?.textChangedAt).toBe(changed);
    expect(history?.texts).toMatchObject([{ person: { displayName: "bob" }, at: changed }]);
    expect(history?.moves).toMatchObject([
      {
        from: { name: "Backlog" },
        to: { name: "In Progress", category: "started" },
        person: { displayName: "ada" },
      },
    ]);
  });

  test("tells when the last of several edits was made that Linear keeps as one", async () => {
    const issue = s.ada.open(s.eng, "Edited twice");
    s.ada.edit(issue, { description: "More" });
    const kept = s.linear.world.tables.IssueHistory.at(-1);
    if (kept === undefined) throw new Error("the edit is not in the history");
    kept.updatedAt += 5_000;
    expect((await s.issues.history(s.ref(issue)))?.textChangedAt).toBe(kept.updatedAt);
  });

  test("is read to its end, and a text that never changed says so", async () => {
    const issue = s.ada.open(s.eng, "Busy");
    for (let at = 0; at < 60; at++) {
      s.ada.label(issue, "bug");
      s.ada.unlabel(issue, "bug");
    }
    const history = await s.issues.history(s.ref(issue));
    expect(history?.labels).toHaveLength(120);
    expect(history?.textChangedAt).toBeUndefined();
    s.ada.edit(issue, { title: "Busier" });
    expect((await s.issues.history(s.ref(issue)))?.textChangedAt).toBe(s.clock.now());
  });
});

describe("several workspaces", () => {
  test("may have teams of the same key, and issues of the same identifier", async () => {
    const umbrella = s.linear.workspace({ name: "Umbrella" });
    const eve = personOn(s.linear, s.linear.user(umbrella, { name: "Eve", admin: true }));
    const theirs = s.linear.team(umbrella, { key: "ENG", members: [eve.user] });
    const { accessToken } = eve.grant(s.app, { scopes: everyScope });
    s.tokens.set(umbrella.id, accessToken);
    const [one, other] = [s.ada.open(s.eng, "Ours"), eve.open(theirs, "Theirs")];
    expect(await s.issues.ticket(s.ref(one))).toMatchObject({ ref: "acme/ENG-1", title: "Ours" });
    expect(await s.issues.ticket(s.ref(other))).toMatchObject({ ref: "umbrella/ENG-1", title: "Theirs" });
    // Through the door of another workspace, it is not there.
    expect(await s.issues.ticket({ workspace: s.acme.id, issue: other.id })).toBeUndefined();
    expect((await s.issues.changedSince(umbrella.id, 0)).map(({ title }) => title)).toEqual(["Theirs"]);
    await s.issues.move("k" as never, s.ref(other), "Done");
    expect([one.state.name, other.state.name]).toEqual(["Backlog", "Done"]);
  });

  test("whose tokens were mixed up are not touched", async () => {
    const umbrella = s.linear.workspace({ name: "Umbrella" });
    s.tokens.set(umbrella.id, s.accessToken);
    expect(await trouble(() => s.issues.changedSince(umbrella.id, 0))).toMatchObject({
      code: "linear-wrong-workspace",
      permanent: true,
    });
  });
});
