import { afterAll, beforeAll, expect, test } from "vitest";
import { stand, type Stand } from "../simulator/linear/stand.ts";
import { readLinear, type LinearHint } from "../../src/webhooks/read-linear.ts";

let s: Stand;
beforeAll(async () => (s = await stand()));
afterAll(() => s.close());

/** What the webhooks of some deeds are read as. */
async function read(deeds: () => void): Promise<readonly LinearHint[]> {
  await s.forget();
  deeds();
  return (await s.heard()).map(({ payload }) => readLinear(JSON.stringify(payload)));
}
const by = (name: "ada" | "bob") => ({ is: "user", id: s[name].user.id, name: s[name].user.name });

test("an issue that was opened, changed, dragged, labelled, archived and thrown away is told so", async () => {
  const bug = s.ada.newLabel("bug");
  const hints = await read(() => {
    const issue = s.ada.open(s.eng, "Greet");
    s.bob.edit(issue, { title: "Greet all", description: "x" });
    s.ada.drag(issue, "In Progress");
    s.ada.label(issue, "bug");
    s.ada.unlabel(issue, "bug");
    s.ada.archive(issue);
    s.ada.unarchive(issue);
    s.bob.delete(issue);
  });
  const [issue] = s.linear.world.tables.Issue;
  const about = { workspace: s.acme.id, issue: issue?.id };
  const state = (name: string) => s.linear.state(s.eng, name).id;
  const changed = { is: "issue.changed", ...about };
  expect(hints).toMatchObject([
    { is: "issue.created", ...about, by: by("ada") },
    { ...changed, fields: ["title", "description"], moved: undefined, labels: undefined, by: by("bob") },
    {
      ...changed,
      fields: ["stateId", "startedAt"],
      moved: { from: state("Backlog"), to: state("In Progress") },
    },
    { ...changed, fields: ["labelIds"], labels: { added: [bug.id], removed: [] } },
    { ...changed, fields: ["labelIds"], labels: { added: [], removed: [bug.id] } },
    { is: "issue.gone", ...about, how: "archived", by: by("ada") },
    { ...changed, fields: ["archivedAt", "trashed"] },
    { is: "issue.gone", ...about, how: "deleted", by: by("bob") },
  ]);
});

test("what was said, edited and taken back is told with whom it is from and what it answers", async () => {
  const issue = s.ada.open(s.eng, "Talk");
  const hints = await read(() => {
    const first = s.ada.comment(issue, "Hello");
    const reply = s.bob.comment(issue, "Hi", first);
    s.bob.editComment(reply, "Hi!");
    s.bob.deleteComment(reply);
  });
  const about = { workspace: s.acme.id, issue: issue.id };
  const first = (hints[0] as { comment: string }).comment;
  expect(hints).toMatchObject([
    { is: "comment.created", ...about, body: "Hello", parent: undefined, by: by("ada") },
    { is: "comment.created", ...about, body: "Hi", parent: first, by: by("bob") },
    { is: "comment.edited", ...about, body: "Hi!", by: by("bob") },
    { is: "comment.removed", ...about, by: by("bob") },
  ]);
});

test("a session is told from delegation over answers to stop, and so are labels and access", async () => {
  const issue = s.ada.open(s.eng, "Delegated");
  const hints = await read(() => {
    const session = s.ada.delegate(issue, s.install.user);
    s.bob.reply(session, "Go on");
    s.ada.stop(session);
    s.ada.newLabel("fresh");
    s.ada.deleteLabel("fresh");
    s.ada.changeAccess(s.app, { remove: [s.eng] });
    s.ada.changeAccess(s.app, { add: [s.eng] });
  });
  const about = { workspace: s.acme.id, issue: issue.id, appUser: s.install.user.id };
  expect(hints.filter(({ is }) => !/^(?:issue|comment)\./.test(is))).toMatchObject([
    { is: "session.created", ...about, by: by("ada") },
    { is: "session.prompted", ...about, body: "Go on", signal: undefined, by: by("bob") },
    { is: "session.prompted", ...about, body: "Stop", signal: "stop", by: by("ada") },
    { is: "label.changed", name: "fresh", how: "created" },
    { is: "label.changed", name: "fresh", how: "removed" },
    { is: "access.changed", appUser: s.install.user.id, removed: [s.eng.id], added: [], all: false },
    { is: "access.changed", added: [s.eng.id], removed: [] },
  ]);
  expect(await read(() => s.ada.revoke(s.app))).toEqual([
    { is: "access.revoked", workspace: s.acme.id, client: s.app.clientId },
  ]);
});

const envelope = { type: "Issue", action: "update", organizationId: "acme", data: { id: "i" } };
const comment = {
  ...envelope,
  type: "Comment",
  action: "create",
  data: { id: "c", issueId: "i", body: "x" },
};
test.each<[string, object, object]>([
  [
    "an application",
    { actor: { type: "oauthClient", id: "a", name: "Bot" } },
    { is: "app", id: "a", name: "Bot" },
  ],
  [
    "an integration",
    { actor: { type: "integration", id: "g", service: "github" } },
    { is: "integration", name: "github" },
  ],
  ["Linear itself", { actor: null }, { is: "linear", id: undefined }],
  ["a kind of actor nobody knows yet", { actor: { type: "wizard", id: "w" } }, { is: "stranger", id: "w" }],
  [
    "a bot in a person's name",
    { actor: { type: "user", id: "ada" }, data: { ...comment.data, botActor: { id: "b", type: "slack" } } },
    { is: "integration", id: "b", name: "slack" },
  ],
])("the deed of %s is told as such", (_, more, actor) => {
  expect(readLinear(JSON.stringify({ ...comment, ...more }))).toMatchObject({
    is: "comment.created",
    by: actor,
  });
});

test.each<[string, string, string]>([
  ["no JSON", "{", "it is no JSON"],
  ["no object", "[]", "malformed webhook"],
  ["null", "null", "malformed webhook"],
  ["no workspace", JSON.stringify({ ...envelope, organizationId: undefined }), "organizationId"],
  ["a type nobody reads", JSON.stringify({ ...envelope, type: "Project" }), "nobody reads Project"],
  [
    "a type that every object has",
    JSON.stringify({ ...envelope, type: "constructor" }),
    "nobody reads constructor",
  ],
  [
    "an action nobody reads",
    JSON.stringify({ ...envelope, action: "explode" }),
    "nobody reads Issue.explode",
  ],
  ["an issue without id", JSON.stringify({ ...envelope, data: {} }), "malformed issue: id"],
  ["no issue at all", JSON.stringify({ ...envelope, data: null }), "malformed issue"],
  ["an endless id", JSON.stringify({ ...envelope, data: { id: "x".repeat(101) } }), "malformed issue: id"],
  [
    "labels that are no list",
    JSON.stringify({ ...envelope, data: { id: "i", labelIds: "bug" } }),
    "labelIds",
  ],
  ["a change that is no change", JSON.stringify({ ...envelope, updatedFrom: { stateId: 7 } }), "stateId"],
  ["a comment on no issue", JSON.stringify({ ...comment, data: { id: "c" } }), "below no issue"],
  [
    "a resolved thread",
    JSON.stringify({ ...comment, action: "update", updatedFrom: { resolvedAt: null } }),
    "says what it said",
  ],
  [
    "a session without itself",
    JSON.stringify({ ...envelope, type: "AgentSessionEvent", action: "created" }),
    "agent session",
  ],
])("%s says nothing, and why", (_, body, why) => {
  const hint = readLinear(body);
  expect(hint.is).toBe("nothing");
  expect(hint.is === "nothing" ? hint.why : "").toContain(why);
});

test("fields that are new to us are passed over", () => {
  expect(
    readLinear(
      JSON.stringify({ ...envelope, moon: 1, data: { id: "i", moon: {} }, updatedFrom: { moon: 0 } }),
    ),
  ).toMatchObject({ is: "issue.changed", fields: ["moon"] });
});
