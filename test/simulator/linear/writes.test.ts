import { randomUUID } from "node:crypto";
import { IssueRelationType } from "@linear/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refusal, stand, type Stand } from "./stand.ts";

let s: Stand;
beforeAll(async () => (s = await stand()));
afterAll(() => s.close());

const messageOf = async (call: () => PromiseLike<unknown>): Promise<string> => {
  const { type, message } = await refusal(call);
  return `${type}: ${message}`;
};

describe("an issue", () => {
  it("is created and changed, and its clock goes with it", async () => {
    const { client, clock, eng } = s;
    const made = await client.createIssue({ teamId: eng.id, title: "Made by the app", priority: 2 });
    expect(made.success).toBe(true);
    const issue = await made.issue;
    expect(issue).toMatchObject({ title: "Made by the app", priority: 2 });
    expect(await issue?.creator).toMatchObject({ app: true });
    const id = issue?.id ?? "";

    await clock.advance(5_000);
    const started = s.linear.state(eng, "In Progress");
    const parent = s.ada.open(eng, "Parent");
    await client.updateIssue(id, {
      stateId: started.id,
      parentId: `ENG-${parent.number}`,
      description: "More",
      estimate: 5,
    });
    const read = await client.issue(id);
    expect(read).toMatchObject({ description: "More", estimate: 5 });
    expect([read.startedAt?.getTime(), read.updatedAt.getTime()]).toEqual([clock.now(), clock.now()]);
    expect((await read.parent)?.id).toBe(parent.id);

    await clock.advance(5_000);
    await client.updateIssue(id, { stateId: started.id });
    expect((await client.issue(id)).updatedAt.getTime()).toBe(clock.now() - 5_000);
    await client.updateIssue(id, { stateId: s.linear.state(eng, "Done").id, estimate: null });
    const finished = await client.issue(id);
    expect(finished.completedAt?.getTime()).toBe(clock.now());
    expect(finished.estimate).toBeUndefined();
  });

  it("can be created under an id of the client's own, once", async () => {
    const id = randomUUID();
    await s.client.createIssue({ id, teamId: s.eng.id, title: "Once" });
    expect((await s.client.issue(id)).title).toBe("Once");
    const again = () => s.client.createIssue({ id, teamId: s.eng.id, title: "Once" });
    expect(await messageOf(again)).toContain("InvalidInput: Conflict on insert of Issue");
    expect(
      await messageOf(() => s.client.createIssue({ id: "one", teamId: s.eng.id, title: "x" })),
    ).toContain("must be a UUID");
  });

  it("refuses what cannot be", async () => {
    const ops = s.linear.team(s.acme, { key: "OPS" });
    const issue = s.ada.open(s.eng, "Picky");
    const child = s.ada.open(s.eng, "Child", { parent: issue });
    const change = (input: object) => messageOf(() => s.client.updateIssue(issue.id, input));
    expect(await change({ stateId: s.linear.state(ops, "Todo").id })).toContain("belongs to another team");
    expect(await change({ stateId: randomUUID() })).toContain("Entity not found: WorkflowState");
    expect(await change({ assigneeId: randomUUID() })).toContain("Entity not found: User");
    expect(await change({ parentId: child.id })).toContain("its own parent");
    expect(await change({ title: "" })).toContain("title should not be empty");
    expect(await change({ priority: 5 })).toContain("priority goes from 0 to 4");
    expect(await change({ priority: "high" })).toContain("InvalidInput");
    expect(issue.updatedAt).toBe(issue.createdAt);
    expect(await messageOf(() => s.client.createIssue({ teamId: randomUUID(), title: "x" }))).toContain(
      "Entity not found: Team",
    );
  });

  it("moves to another team under a new identifier and answers to the old one", async () => {
    const web = s.linear.team(s.acme, { key: "WEB" });
    const issue = s.ada.open(s.eng, "Nomad");
    const old = `ENG-${issue.number}`;
    s.ada.edit(issue, { team: web });
    const read = await s.client.issue(old);
    expect(read).toMatchObject({ identifier: "WEB-1", previousIdentifiers: [old] });
    expect((await (await read.state)?.team)?.id).toBe(web.id);
  });

  it("can be archived, brought back, deleted, and deleted for good", async () => {
    const issue = s.ada.open(s.eng, "Phoenix");
    await s.client.archiveIssue(issue.id);
    expect((await s.client.issue(issue.id)).archivedAt).toBeDefined();
    expect(await messageOf(() => s.client.updateIssue(issue.id, { title: "x" }))).toContain(
      "Entity not found: Issue",
    );
    expect(await messageOf(() => s.client.createComment({ issueId: issue.id, body: "x" }))).toContain(
      "Entity not found: Issue",
    );
    await s.client.unarchiveIssue(issue.id);
    await s.client.updateIssue(issue.id, { title: "Phoenix again" });
    await s.client.deleteIssue(issue.id);
    expect(await s.client.issue(issue.id)).toMatchObject({ trashed: true });
    s.ada.delete(issue, "for good");
    expect(await messageOf(() => s.client.issue(issue.id))).toContain("Entity not found: Issue");
  });
});

describe("labels", () => {
  it("are added and removed one by one or together", async () => {
    const { client, eng } = s;
    const label = async (name: string): Promise<string> =>
      (await client.createIssueLabel({ name, teamId: eng.id })).issueLabelId ?? "";
    const [one, two, three] = [await label("one"), await label("two"), await label("three")];
    const issue = s.ada.open(eng, "Labelled");
    await client.issueAddLabel(issue.id, one);
    await client.updateIssue(issue.id, { addedLabelIds: [two, three], removedLabelIds: [one] });
    expect((await client.issue(issue.id)).labelIds).toEqual([two, three]);
    await client.issueRemoveLabel(issue.id, two);
    expect((await client.issue(issue.id)).labelIds).toEqual([three]);
    await client.updateIssueLabel(three, { name: "drei" });
    expect((await (await client.issue(issue.id)).labels()).nodes).toMatchObject([{ name: "drei" }]);
    await client.deleteIssueLabel(three);
    expect((await client.issue(issue.id)).labelIds).toEqual([]);
    expect(await messageOf(() => client.createIssueLabel({ name: "ONE", teamId: eng.id }))).toContain(
      "already taken",
    );
  });

  it("of one group exclude each other", async () => {
    const group = s.ada.newLabel("runtime", { isGroup: true });
    const codex = s.ada.newLabel("codex", { group });
    const claude = s.ada.newLabel("claude", { group });
    const issue = s.ada.open(s.eng, "Either or");
    await s.client.issueAddLabel(issue.id, codex.id);
    expect(await messageOf(() => s.client.issueAddLabel(issue.id, claude.id))).toContain(
      "not exclusive child labels",
    );
    expect(await messageOf(() => s.client.issueAddLabel(issue.id, group.id))).toContain("is a group");
    s.ada.label(issue, "claude");
    expect((await s.client.issue(issue.id)).labelIds).toEqual([claude.id]);
  });
});

describe("comments", () => {
  it("stand in threads, are edited by their author alone, and carry reactions", async () => {
    const { client, ada } = s;
    const issue = ada.open(s.eng, "Talk");
    const id = randomUUID();
    const made = await client.createComment({ id, issueId: issue.id, body: "Workpad" });
    expect((await made.comment)?.id).toBe(id);
    const theirs = ada.comment(
      issue,
      "A question",
      s.linear.world.tables.Comment.find((one) => one.id === id),
    );
    await client.createComment({ issueId: issue.id, parentId: theirs.id, body: "An answer" });
    const replies = await client.comments({ filter: { parent: { id: { eq: id } } } });
    expect(replies.nodes.map(({ body }) => body)).toEqual(["An answer", "A question"]);

    await s.clock.advance(1_000);
    await client.updateComment(id, { body: "Workpad, anew" });
    expect(await client.comment({ id })).toMatchObject({
      body: "Workpad, anew",
      editedAt: new Date(s.clock.now()),
    });
    expect((await refusal(() => client.updateComment(theirs.id, { body: "x" }))).type).toBe("Forbidden");
    await client.createReaction({ commentId: theirs.id, emoji: "eyes" });
    await client.createReaction({ commentId: theirs.id, emoji: "eyes" });
    const read = await client.comment({ id: theirs.id });
    expect(read.reactions.map(({ emoji }) => emoji)).toEqual(["eyes"]);
    await client.deleteReaction(read.reactions[0]?.id ?? "");
    expect((await client.comment({ id: theirs.id })).reactions).toEqual([]);
    await client.deleteComment(id);
    expect((await (await client.issue(issue.id)).comments()).nodes).toEqual([]);
    expect(await messageOf(() => client.createComment({ issueId: issue.id, body: " " }))).toContain(
      "body should not be empty",
    );
  });
});

describe("what hangs on an issue", () => {
  it("attachments renew themselves by their URL", async () => {
    const { client } = s;
    const issue = s.ada.open(s.eng, "Linked");
    const url = "https://github.example/acme/app/pull/7";
    await client.createAttachment({ issueId: issue.id, url, title: "PR 7", metadata: { checks: "pending" } });
    await client.createAttachment({
      issueId: issue.id,
      url,
      title: "PR 7",
      subtitle: "green",
      metadata: { checks: "success" },
    });
    const found = (await client.attachmentsForURL(url)).nodes;
    expect(found).toMatchObject([{ title: "PR 7", subtitle: "green", metadata: { checks: "success" } }]);
    await client.updateAttachment(found[0]?.id ?? "", { title: "PR 7, merged" });
    expect((await (await client.issue(issue.id)).attachments()).nodes).toMatchObject([
      { title: "PR 7, merged", subtitle: "green" },
    ]);
    await client.attachmentLinkURL(issue.id, "https://forgehand.example/runs/1", { title: "Run" });
    await client.deleteAttachment(found[0]?.id ?? "");
    expect((await (await client.issue(issue.id)).attachments()).nodes).toMatchObject([{ title: "Run" }]);
    expect(
      await messageOf(() => client.createAttachment({ issueId: issue.id, url: "nowhere", title: "x" })),
    ).toContain("is no URL");
  });

  it("relations say what blocks what", async () => {
    const [one, other] = [s.ada.open(s.eng, "one"), s.ada.open(s.eng, "other")];
    const made = await s.client.createIssueRelation({
      issueId: one.id,
      relatedIssueId: other.id,
      type: IssueRelationType.Blocks,
    });
    expect((await (await s.client.issue(one.id)).relations()).nodes).toMatchObject([{ type: "blocks" }]);
    expect((await (await s.client.issue(other.id)).inverseRelations()).nodes).toHaveLength(1);
    await s.client.deleteIssueRelation((await made.issueRelation)?.id ?? "");
    expect((await (await s.client.issue(one.id)).relations()).nodes).toEqual([]);
  });
});

describe("states of a board", () => {
  it("are created, renamed and archived once they are empty", async () => {
    const { client } = s;
    const team = s.linear.team(s.acme, { key: "BRD" });
    const made = await client.createWorkflowState({
      teamId: team.id,
      name: "Merging",
      type: "started",
      color: "#000000",
    });
    const state = await made.workflowState;
    expect(state).toMatchObject({ name: "Merging", type: "started", position: 7 });
    const same = () =>
      client.createWorkflowState({ teamId: team.id, name: "merging", type: "started", color: "#000000" });
    expect(await messageOf(same)).toContain("already taken");
    const issue = s.ada.open(team, "In the way");
    s.ada.drag(issue, "Merging");
    expect(await messageOf(() => client.archiveWorkflowState(state?.id ?? ""))).toContain("still has issues");
    s.ada.renameState(s.linear.state(team, "Merging"), "Landing");
    expect(await client.workflowState(state?.id ?? "")).toMatchObject({ name: "Landing" });
    s.ada.removeState(s.linear.state(team, "Landing"), s.linear.state(team, "In Review"));
    expect((await (await client.issue(issue.id)).state)?.name).toBe("In Review");
    expect((await (await client.team(team.id)).states()).nodes.map(({ name }) => name)).not.toContain(
      "Landing",
    );
    expect(await messageOf(() => client.updateIssue(issue.id, { stateId: state?.id ?? "" }))).toContain(
      "is archived",
    );
  });
});
