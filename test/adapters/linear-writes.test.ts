import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectGitHub } from "../../src/simulator/linear/github-automation.ts";
import { key, linearStage, trouble, type LinearStage } from "./linear-stage.ts";

let s: LinearStage;
beforeEach(async () => (s = await linearStage()));
afterEach(() => s.close());

describe("a card", () => {
  test("goes where its team has the state: by the team's word, the usual name, else by category", async () => {
    const ops = s.linear.team(s.acme, {
      key: "OPS",
      members: [s.ada.user],
      states: [
        ["Icebox", "backlog"],
        ["Ready for Dev", "unstarted"],
        ["Doing", "started"],
        ["Second look", "started"],
        ["REWORK", "started"],
        ["Shipped", "completed"],
        ["Dropped", "canceled"],
      ],
    });
    s.boards.set("OPS", { "In Review": "second look" });
    const issue = s.ada.open(ops, "Walks");
    const walked: string[] = [];
    for (const to of [
      "Ready",
      "Gate",
      "In Progress",
      "In Review",
      "Rework",
      "Blocked",
      "Done",
      "Cancelled",
      "Backlog",
    ] as const) {
      await s.issues.move(key(to), s.ref(issue), to);
      walked.push(issue.state.name);
    }
    expect(walked).toEqual([
      "Ready for Dev",
      "Doing",
      "Doing",
      "Second look",
      "REWORK",
      "REWORK",
      "Shipped",
      "Dropped",
      "Icebox",
    ]);
    // Blocked leaves the card where it is, and what is so already is not written again.
    expect(s.writes).toHaveLength(7);
  });

  test("stays a duplicate when its ticket is cancelled", async () => {
    const issue = s.ada.open(s.eng, "Twin");
    s.ada.drag(issue, "Duplicate");
    await s.issues.move(key("cancel"), s.ref(issue), "Cancelled");
    expect(issue.state.name).toBe("Duplicate");
  });

  test("of a board without such a state is Trouble that names it, the board and the next command", async () => {
    const ops = s.linear.team(s.acme, { key: "OPS", members: [s.ada.user], states: [["Inbox", "backlog"]] });
    const issue = s.ada.open(ops, "Stuck");
    const found = await trouble(() => s.issues.move(key("k"), s.ref(issue), "Ready"));
    expect(found).toMatchObject({ code: "linear-state-missing", permanent: true });
    expect(found.message).toContain('team OPS has no state "Ready for Dev" for Ready');
    expect(found.message).toContain("it has Inbox");
    expect(found.message).toContain("forgehand linear setup --team OPS");
  });

  test("follows states that were renamed or removed meanwhile", async () => {
    const issue = s.ada.open(s.eng, "Follows");
    const review = s.linear.state(s.eng, "In Review");
    s.ada.renameState(review, "Looking");
    await s.issues.move(key("1"), s.ref(issue), "In Review");
    expect(issue.state.name).toBe("In Progress");
    s.boards.set("ENG", { "In Review": "Looking" });
    await s.issues.move(key("2"), s.ref(issue), "In Review");
    expect(issue.state.name).toBe("Looking");
    s.ada.removeState(review, s.linear.state(s.eng, "Todo"));
    await s.issues.move(key("3"), s.ref(issue), "In Review");
    expect(issue.state.name).toBe("In Progress");
  });

  test("whose state goes between look and move is Trouble that passes", async () => {
    const issue = s.ada.open(s.eng, "Raced");
    const review = s.linear.state(s.eng, "In Review");
    await s.issues.identity(s.acme.id);
    const before = s.memory.set.bind(s.memory);
    // The move is remembered between the two.
    s.memory.set = (name, value) => {
      if (name.startsWith("linear move")) s.ada.removeState(review, s.linear.state(s.eng, "Todo"));
      return before(name, value);
    };
    expect(await trouble(() => s.issues.move(key("k"), s.ref(issue), "In Review"))).toMatchObject({
      code: "linear-board-changed",
      permanent: false,
    });
    s.memory.set = before;
    await s.issues.move(key("k"), s.ref(issue), "In Review");
    expect(issue.state.name).toBe("In Progress");
  });

  test("that we moved is told from one that a person moved, even when the answer was lost", async () => {
    const issue = s.ada.open(s.eng, "Whose");
    const ref = s.ref(issue);
    s.linear.fail({ is: "reset", of: /^issueUpdate$/, after: true });
    await trouble(() => s.issues.move(key("k"), ref, "In Progress"));
    expect(issue.state.name).toBe("In Progress");
    const to = issue.state.id;
    expect(await s.issues.isOurMove(ref, { to, by: s.install.user.id })).toBe(true);
    expect(await s.issues.isOurMove(ref, { to, by: s.bob.user.id })).toBe(false);
    expect(await s.issues.isOurMove(ref, { to, by: undefined })).toBe(false);
  });

  test("with a person's key is ours where we put it last", async () => {
    s.tokens.set(s.acme.id, s.linear.apiKey(s.bob.user));
    const card = s.ada.open(s.eng, "Trial");
    await s.issues.move(key("k3"), s.ref(card), "Done");
    const by = s.bob.user.id;
    expect(await s.issues.isOurMove(s.ref(card), { to: card.state.id, by })).toBe(true);
    const todo = s.linear.state(s.eng, "Todo").id;
    expect(await s.issues.isOurMove(s.ref(card), { to: todo, by })).toBe(false);
  });
});

describe("labels", () => {
  test("are added and removed in one change that leaves others alone, and once", async () => {
    const issue = s.ada.open(s.eng, "Labelled");
    s.ada.label(issue, "bug", "Agent-Ready");
    const change = { add: ["needs-spec"], remove: ["agent-ready", "harness-blocked"] } as const;
    await s.issues.setLabels(key("flag"), s.ref(issue), change);
    expect(issue.labels.map(({ name }) => name)).toEqual(["bug", "needs-spec"]);
    const made = s.linear.world.tables.IssueLabel.find(({ name }) => name === "needs-spec");
    expect(made).toMatchObject({ team: { key: "ENG" }, color: "#fbca04" });
    const written = s.writes.length;
    await s.issues.setLabels(key("flag"), s.ref(issue), change);
    expect(s.writes).toHaveLength(written);
  });

  test("that the workspace has are used, and those of another team are not", async () => {
    const ops = s.linear.team(s.acme, { key: "OPS", members: [s.ada.user] });
    s.ada.newLabel("needs-spec", { team: ops });
    const shared = s.ada.newLabel("agent-ready");
    const issue = s.ada.open(s.eng, "Shared");
    await s.issues.setLabels(key("k"), s.ref(issue), { add: ["needs-spec", "agent-ready"], remove: [] });
    expect(issue.labels.map(({ team }) => team?.key)).toEqual(["ENG", undefined]);
    expect(issue.labels).toContain(shared);
  });

  test("of one group that exclude each other are refused with the reason, and a person's choice stays", async () => {
    const group = s.ada.newLabel("stage", { isGroup: true });
    s.ada.newLabel("needs-spec", { group });
    s.ada.newLabel("shipping", { group });
    const issue = s.ada.open(s.eng, "Grouped");
    s.ada.label(issue, "shipping");
    const found = await trouble(() =>
      s.issues.setLabels(key("k"), s.ref(issue), { add: ["needs-spec"], remove: [] }),
    );
    expect(found).toMatchObject({ code: "linear-label-group", permanent: true });
    expect(found.message).toContain('"needs-spec" cannot be set beside "shipping"');
    expect(found.message).toContain('group "stage"');
    expect(issue.labels.map(({ name }) => name)).toEqual(["shipping"]);
  });

  test("that are groups themselves are refused by name", async () => {
    s.ada.newLabel("needs-spec", { isGroup: true });
    const issue = s.ada.open(s.eng, "Group");
    const found = await trouble(() =>
      s.issues.setLabels(key("k"), s.ref(issue), { add: ["needs-spec"], remove: [] }),
    );
    expect(found.message).toContain('"needs-spec" is a group of labels in team ENG');
  });

  test("survive a lost answer, at the creation of the label and at its setting", async () => {
    const issue = s.ada.open(s.eng, "Lost");
    const set = () => s.issues.setLabels(key("k"), s.ref(issue), { add: ["needs-spec"], remove: [] });
    for (const of of [/^issueLabelCreate$/, /^issueUpdate$/]) {
      s.linear.fail({ is: "reset", of, after: true });
      expect(await trouble(set)).toMatchObject({ code: "linear-unavailable", permanent: false });
    }
    await set();
    expect(issue.labels.map(({ name }) => name)).toEqual(["needs-spec"]);
    expect(s.linear.world.tables.IssueLabel.filter(({ name }) => name === "needs-spec")).toHaveLength(1);
  });
});

describe("a comment of ours", () => {
  const bodies = () => s.linear.world.tables.Comment.map(({ body }) => body);

  test("is one for each marker, brought up to date, without secrets, and written once", async () => {
    const issue = s.ada.open(s.eng, "Told");
    const say = (body: string, marker = "workpad") =>
      s.issues.upsertComment(key(body), s.ref(issue), marker, body);
    const id = await say("One hunter2");
    expect(await say("Two")).toBe(id);
    expect(await say("Two")).toBe(id);
    expect(await say("Other", "gate")).not.toBe(id);
    expect(bodies()).toEqual(["Two", "Other"]);
    expect(s.writes).toEqual(["write a comment", "write a comment", "write a comment"]);
  });

  test("is found again without memory, and after an answer that was lost", async () => {
    const issue = s.ada.open(s.eng, "Lost");
    const say = (body: string) => s.issues.upsertComment(key(body), s.ref(issue), "workpad", body);
    s.linear.fail({ is: "reset", of: /^commentCreate$/, after: true });
    await trouble(() => say("One"));
    await say("One");
    s.memory.clear();
    await say("Two");
    expect(bodies()).toEqual(["Two"]);
  });

  test("that a person deleted is written anew", async () => {
    const issue = s.ada.open(s.eng, "Deleted");
    const say = () => s.issues.upsertComment(key("k"), s.ref(issue), "workpad", "Here");
    await say();
    const [comment] = s.linear.world.tables.Comment;
    if (comment === undefined) throw new Error("no comment");
    s.ada.deleteComment(comment);
    await say();
    expect(bodies()).toEqual(["Here"]);
  });

  test("is left as it was on an issue that was archived", async () => {
    const issue = s.ada.open(s.eng, "Archived");
    const say = (body: string) => s.issues.upsertComment(key(body), s.ref(issue), "workpad", body);
    await say("Last");
    s.ada.archive(issue);
    expect(await say("Later")).toBeUndefined();
    s.memory.clear();
    expect(await say("Later")).toBeUndefined();
    expect(bodies()).toEqual(["Last"]);
  });

  test("is never one that a stranger made under our id", async () => {
    const issue = s.ada.open(s.eng, "Squatted");
    const id = await s.issues.upsertComment(key("k"), s.ref(issue), "workpad", "Ours");
    const [comment] = s.linear.world.tables.Comment;
    if (comment === undefined || id === undefined) throw new Error("no comment");
    s.ada.deleteComment(comment);
    s.memory.clear();
    const bob = s.as({ apiKey: s.linear.apiKey(s.bob.user) });
    await bob.createComment({ id, issueId: issue.id, body: "Bob's" });
    const ours = await s.issues.upsertComment(key("k"), s.ref(issue), "workpad", "Ours again");
    expect(ours).not.toBe(id);
    expect(bodies()).toEqual(["Bob's", "Ours again"]);
  });
});

test("a reaction is left once, on the issue or on a comment, and none on what is gone", async () => {
  const issue = s.ada.open(s.eng, "Seen");
  const comment = s.bob.comment(issue, "Hello");
  s.bob.react(comment, "eyes");
  for (let twice = 0; twice < 2; twice++) {
    await s.issues.react(key("k"), s.ref(issue), undefined, "hooray");
    await s.issues.react(key("k"), s.ref(issue), comment.id, "eyes");
  }
  const all = s.linear.world.tables.Reaction;
  expect(all.map(({ emoji, user }) => [emoji, user?.displayName])).toEqual([
    ["eyes", "bob"],
    ["tada", "forgehand"],
    ["eyes", "forgehand"],
  ]);
  s.bob.deleteComment(comment);
  await s.issues.react(key("k"), s.ref(issue), comment.id, "rocket");
  expect(s.writes).toHaveLength(2);
});

test("a link is attached once for each URL, renewed when it says something new", async () => {
  const issue = s.ada.open(s.eng, "Linked");
  const link = (subtitle: string, url = "https://git.example/acme/shop/pull/7") =>
    s.issues.attach(key("k"), s.ref(issue), {
      url,
      title: "Pull request 7",
      subtitle,
      metadata: { cost: 1.5 },
    });
  await link("Draft");
  await link("Draft");
  await link("Merged hunter2");
  await link("Green", "https://git.example/acme/shop/runs/1");
  expect(s.linear.world.tables.Attachment.map(({ url, subtitle }) => [url.slice(-6), subtitle])).toEqual([
    ["pull/7", "Merged [removed]"],
    ["runs/1", "Green"],
  ]);
  expect(s.writes).toHaveLength(3);
  for (const url of ["javascript:alert(1)", "https://user:pass@git.example/1"])
    expect((await trouble(() => link("x", url))).code).toBe("linear-refused");
});

test("a pull request that Linear's own integration follows is left to it", async () => {
  const issue = s.ada.open(s.eng, "Followed");
  const url = "https://git.example/acme/shop/pull/7";
  const automation = connectGitHub(s.linear, s.acme, s.ada.user);
  automation.opened({ url, number: 7, title: "Followed (ENG-1)", branch: "eng-1" }, "draft");
  await s.issues.attach(key("k"), s.ref(issue), { url, title: "Pull request #7: draft" });
  await s.issues.attach(key("k"), s.ref(issue), { url: `${url}/checks`, title: "The check" });
  expect(s.linear.world.tables.Attachment.map(({ title }) => title)).toEqual([
    "Followed (ENG-1)",
    "The check",
  ]);
});

test("an issue of ours is opened once for each marker, though the answer was lost", async () => {
  const open = () =>
    s.issues.openIssue(key("k"), { workspace: s.acme.id, id: s.eng.id }, "red main", {
      title: "Main is red",
      body: "Since hunter2",
    });
  s.linear.fail({ is: "reset", of: /^issueCreate$/, after: true });
  await trouble(open);
  const id = await open();
  expect(await open()).toBe(id);
  expect(s.linear.world.tables.Issue).toMatchObject([
    { id, title: "Main is red", description: "Since [removed]" },
  ]);
  const found = await trouble(() =>
    s.issues.openIssue(key("k"), { workspace: s.acme.id, id: "no-such-team" }, "m", {
      title: "t",
      body: "b",
    }),
  );
  expect(found).toMatchObject({ code: "linear-refused", permanent: true });
  expect(found.message).toContain("Team");
});
