import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PaginationOrderBy, PaginationSortOrder } from "@linear/sdk";
import { personOn } from "../../../src/simulator/linear/people.ts";
import { everyScope, refusal, stand, type Stand } from "./stand.ts";

let s: Stand;
beforeAll(async () => (s = await stand()));
afterAll(() => s.close());

const titles = async (
  found: PromiseLike<{ readonly nodes: readonly { readonly title: string }[] }>,
): Promise<string[]> => (await found).nodes.map(({ title }) => title);

describe("an issue, read through the SDK", () => {
  it("has everything that was said of it", async () => {
    const { ada, client, eng, linear, bob, acme } = s;
    const cycle = linear.cycle(eng, { startsAt: s.clock.now(), endsAt: s.clock.now() + 86_400_000 });
    const project = linear.project(acme, { name: "Greeter", teams: [eng] });
    const parent = ada.open(eng, "Parent");
    const issue = ada.open(eng, "Fix the login page!", {
      description: "It is **broken**.",
      priority: 2,
      estimate: 3,
      assignee: bob.user,
      parent,
      cycle,
      project,
    });
    ada.label(issue, "bug");
    ada.comment(issue, "Look here");
    const blocker = ada.open(eng, "Blocker");
    ada.block(issue, blocker);

    const read = await client.issue(`ENG-${issue.number}`);
    expect(read).toMatchObject({
      id: issue.id,
      identifier: `ENG-${issue.number}`,
      title: "Fix the login page!",
      description: "It is **broken**.",
      priority: 2,
      priorityLabel: "High",
      estimate: 3,
      branchName: `forgehand/eng-${issue.number}-fix-the-login-page`,
      labelIds: issue.labels.map(({ id }) => id),
      url: `https://linear.app/acme/issue/ENG-${issue.number}/fix-the-login-page`,
    });
    expect(read.updatedAt.getTime()).toBe(s.clock.now());
    expect(await read.state).toMatchObject({ name: "Backlog", type: "backlog" });
    expect(await read.team).toMatchObject({ key: "ENG", name: "Engineering" });
    expect(await read.assignee).toMatchObject({ name: "Bob", app: false });
    expect(await read.creator).toMatchObject({ name: "Ada", admin: true, gitHubUserId: "1" });
    expect(await read.parent).toMatchObject({ title: "Parent" });
    expect(await read.cycle).toMatchObject({ number: 1, isActive: true });
    expect(await read.project).toMatchObject({ name: "Greeter" });
    expect((await read.labels()).nodes).toMatchObject([{ name: "bug" }]);
    expect((await read.comments()).nodes).toMatchObject([{ body: "Look here" }]);
    const [blocked] = (await read.inverseRelations()).nodes;
    expect(blocked?.type).toBe("blocks");
    expect(await blocked?.issue).toMatchObject({ title: "Blocker" });
    expect(await titles((await client.issue(parent.id)).children())).toEqual(["Fix the login page!"]);
  });

  it("is found by the branch that carries its identifier", async () => {
    const issue = s.ada.open(s.eng, "Branching");
    const read = await s.client.issueVcsBranchSearch(`forgehand/eng-${issue.number}-whatever`);
    expect(read?.id).toBe(issue.id);
  });

  it("is found by its words", async () => {
    s.ada.open(s.eng, "A needle in hay", { description: "sharp" });
    expect(await titles(s.client.searchIssues("needle sharp"))).toEqual(["A needle in hay"]);
  });

  it("is not found under an unknown id", async () => {
    const error = await refusal(() => s.client.issue("ENG-9999"));
    expect(error.type).toBe("InvalidInput");
    expect(error.message).toContain("Could not find referenced Issue.");
  });

  it("remembers who moved it where", async () => {
    const issue = s.ada.open(s.eng, "Moving");
    s.bob.drag(issue, "Todo");
    const [row] = (await (await s.client.issue(issue.id)).history()).nodes;
    expect(await row?.actor).toMatchObject({ name: "Bob" });
    expect([(await row?.fromState)?.name, (await row?.toState)?.name]).toEqual(["Backlog", "Todo"]);
  });
});

describe("lists", () => {
  it("come newest first, in pages", async () => {
    const team = s.linear.team(s.acme, { key: "PAGE" });
    for (let n = 1; n <= 5; n += 1) {
      s.ada.open(team, `p${n}`);
      await s.clock.advance(1_000);
    }
    const filter = { team: { key: { eq: "PAGE" } } };
    const first = await s.client.issues({ first: 2, filter });
    expect(first.nodes.map(({ title }) => title)).toEqual(["p5", "p4"]);
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const second = await s.client.issues({ first: 2, filter, after: first.pageInfo.endCursor ?? "" });
    expect(second.nodes.map(({ title }) => title)).toEqual(["p3", "p2"]);
    const before = await s.client.issues({ last: 1, filter, before: second.pageInfo.startCursor ?? "" });
    expect(before.nodes.map(({ title }) => title)).toEqual(["p4"]);
    await first.fetchNext();
    expect(first.nodes.map(({ title }) => title)).toEqual(["p5", "p4", "p3", "p2"]);
    expect((await refusal(() => s.client.issues({ first: 251 }))).type).toBe("InvalidInput");
  });

  it("go on where they were, though the last of a page has left the list", async () => {
    const team = s.linear.team(s.acme, { key: "GONE" });
    const [, second] = ["g1", "g2", "g3"].map((title) => s.ada.open(team, title));
    const filter = { team: { key: { eq: "GONE" } } };
    const first = await s.client.issues({ first: 2, filter });
    expect(first.nodes.map(({ title }) => title)).toEqual(["g3", "g2"]);
    if (second !== undefined) s.ada.archive(second);
    expect(await titles(s.client.issues({ filter, after: first.pageInfo.endCursor ?? "" }))).toEqual(["g1"]);
    expect((await refusal(() => s.client.issues({ filter, after: "nothing" }))).message).toContain(
      "Invalid cursor",
    );
  });

  it("come by change when asked, so that a cursor by updatedAt misses nothing", async () => {
    const team = s.linear.team(s.acme, { key: "SCAN" });
    const old = s.ada.open(team, "old");
    await s.clock.advance(1_000);
    s.ada.open(team, "new");
    await s.clock.advance(1_000);
    const since = new Date(s.clock.now());
    await s.clock.advance(1_000);
    s.ada.edit(old, { title: "old, edited" });
    const filter = { team: { key: { eq: "SCAN" } } };
    expect(await titles(s.client.issues({ filter, orderBy: PaginationOrderBy.UpdatedAt }))).toEqual([
      "old, edited",
      "new",
    ]);
    expect(await titles(s.client.issues({ filter: { ...filter, updatedAt: { gt: since } } }))).toEqual([
      "old, edited",
    ]);
    expect(await titles(s.client.issues({ filter: { ...filter, updatedAt: { lte: "-PT2S" } } }))).toEqual([
      "new",
    ]);
    const sort = [{ createdAt: { order: PaginationSortOrder.Ascending } }];
    expect(await titles(s.client.issues({ filter, sort }))).toEqual(["old, edited", "new"]);
  });

  it("hide what is archived until asked", async () => {
    const team = s.linear.team(s.acme, { key: "ARCH" });
    s.ada.open(team, "kept");
    s.ada.archive(s.ada.open(team, "archived"));
    s.ada.delete(s.ada.open(team, "deleted"));
    const filter = { team: { key: { eq: "ARCH" } } };
    expect(await titles(s.client.issues({ filter }))).toEqual(["kept"]);
    expect(await titles(s.client.issues({ filter, includeArchived: true }))).toEqual([
      "deleted",
      "archived",
      "kept",
    ]);
    const [deleted] = (await s.client.issues({ filter, includeArchived: true })).nodes;
    expect(deleted).toMatchObject({ trashed: true });
  });

  it("obey filters of every shape", async () => {
    const team = s.linear.team(s.acme, { key: "FILT" });
    const a = s.ada.open(team, "a", { priority: 1, assignee: s.bob.user });
    const b = s.ada.open(team, "b", { priority: 2 });
    const c = s.ada.open(team, "c", { priority: 3 });
    s.ada.label(a, "red", "blue");
    s.ada.label(b, "red");
    s.ada.drag(c, "In Progress");
    s.ada.block(b, a);
    const found = async (filter: object): Promise<string[]> =>
      (await titles(s.client.issues({ filter: { team: { id: { eq: team.id } }, ...filter } }))).toSorted();
    expect(await found({ state: { type: { in: ["started", "completed"] } } })).toEqual(["c"]);
    expect(await found({ state: { name: { neq: "Backlog" } } })).toEqual(["c"]);
    expect(await found({ labels: { some: { name: { eq: "blue" } } } })).toEqual(["a"]);
    expect(await found({ labels: { name: { eq: "red" } } })).toEqual(["a", "b"]);
    expect(await found({ labels: { every: { name: { eq: "red" } } } })).toEqual(["b", "c"]);
    expect(await found({ labels: { length: { eq: 0 } } })).toEqual(["c"]);
    expect(await found({ or: [{ title: { eq: "a" } }, { priority: { gte: 3 } }] })).toEqual(["a", "c"]);
    expect(await found({ and: [{ priority: { lt: 3 } }, { assignee: { null: true } }] })).toEqual(["b"]);
    expect(await found({ assignee: { id: { eq: s.bob.user.id } } })).toEqual(["a"]);
    expect(await found({ id: { in: [a.id, `FILT-${b.number}`] } })).toEqual(["a", "b"]);
    expect(await found({ title: { containsIgnoreCase: "A" } })).toEqual(["a"]);
    expect(await found({ title: { nin: ["a", "b"] } })).toEqual(["c"]);
    expect(await found({ hasBlockedByRelations: { eq: true } })).toEqual(["b"]);
    expect(await found({ hasBlockingRelations: { eq: true } })).toEqual(["a"]);
    expect(await found({ number: { eq: c.number } })).toEqual(["c"]);
  });

  it("of states, labels, users, teams and cycles can be read and filtered", async () => {
    const team = await s.client.team(s.eng.id);
    expect((await team.states()).nodes.map(({ name }) => name).toSorted()).toEqual(
      ["Backlog", "Canceled", "Done", "Duplicate", "In Progress", "In Review", "Todo"].toSorted(),
    );
    const started = await s.client.workflowStates({
      filter: { type: { eq: "started" }, team: { key: { eq: "ENG" } } },
    });
    expect(started.nodes.map(({ name, position }) => `${position} ${name}`).toSorted()).toEqual([
      "2 In Progress",
      "3 In Review",
    ]);
    const users = await s.client.users({ filter: { app: { eq: true } } });
    expect(users.nodes).toMatchObject([{ name: "Forgehand", supportsAgentSessions: true, isMe: true }]);
    expect(await s.client.viewer).toMatchObject({ displayName: "forgehand", app: true });
    expect(await s.client.organization).toMatchObject({ urlKey: "acme" });
    s.ada.newLabel("needs-spec");
    const labels = await s.client.issueLabels({ filter: { name: { eq: "needs-spec" } } });
    expect(labels.nodes).toHaveLength(1);
    expect((await s.client.teams({ filter: { key: { eq: "ENG" } } })).nodes).toHaveLength(1);
  });
});

describe("workspaces", () => {
  it("are closed to each other, though their teams share a key", async () => {
    const globex = s.linear.workspace({ name: "Globex" });
    const eve = personOn(s.linear, s.linear.user(globex, { name: "Eve", admin: true }));
    const team = s.linear.team(globex, { key: "ENG", name: "Their engineering" });
    const theirs = eve.open(team, "A secret of Globex");
    const ours = s.ada.open(s.eng, "Ours");
    const { accessToken } = s.linear.oauth.install(s.app, globex, { scopes: everyScope });
    const there = s.as({ accessToken });

    expect((await there.issue("ENG-1")).title).toBe("A secret of Globex");
    expect((await s.client.issue(`ENG-${ours.number}`)).title).toBe("Ours");
    expect((await refusal(() => s.client.issue(theirs.id))).message).toContain("Entity not found: Issue");
    expect((await refusal(() => s.client.updateIssue(theirs.id, { title: "x" }))).type).toBe("InvalidInput");
    expect((await there.issues()).nodes).toHaveLength(1);
    expect((await there.teams()).nodes.map(({ name }) => name)).toEqual(["Their engineering"]);
    const mine = await s.client.viewer;
    expect((await there.viewer).id).not.toBe(mine.id);
  });

  it("show an app only the teams it may enter", async () => {
    const secret = s.linear.team(s.acme, { key: "SEC", private: true, members: [s.ada.user] });
    const issue = s.ada.open(secret, "Hush");
    expect((await refusal(() => s.client.issue(issue.id))).message).toContain("Entity not found: Issue");
    s.ada.changeAccess(s.app, { add: [secret] });
    expect((await s.client.issue(issue.id)).title).toBe("Hush");
    s.ada.changeAccess(s.app, { remove: [secret] });
    expect((await refusal(() => s.client.issue(issue.id))).message).toContain("Entity not found: Issue");
    expect(await s.as({ apiKey: s.linear.apiKey(s.ada.user) }).issue(issue.id)).toMatchObject({
      title: "Hush",
    });
  });
});
