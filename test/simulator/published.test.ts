import { readdirSync, readFileSync } from "node:fs";
import { afterAll, afterEach, expect, test } from "vitest";
import { fine, openWorld, pass, usage, type World } from "../world.ts";
import { askThroughAdapter } from "./ask-adapter.ts";
import { askEverything } from "./ask-everything.ts";
import { openStand, type Json, type Stand } from "./forge-stand.ts";
import { faultsOf, isAt, record, type Exchange } from "./published.ts";

const recorder = record();
const routes: { readonly method: string; readonly path: string }[] = [];
let judged = 0;
let world: World | undefined;
let stand: Stand | undefined;

afterEach(async () => {
  await world?.close();
  await stand?.close();
  world = stand = undefined;
});
afterAll(() => recorder.stop());

/** What was said since the last look, judged. */
function faults(): readonly string[] {
  const fresh = recorder.exchanges.slice(judged);
  judged = recorder.exchanges.length;
  expect(fresh.length).toBeGreaterThan(0);
  return faultsOf(fresh);
}

async function enter(options: Parameters<typeof openWorld>[0] = {}): Promise<World> {
  world = await openWorld(options);
  routes.splice(0, routes.length, ...world.hub.routes);
  return world;
}
const open = ({ people }: World, title = "Say done", labels: readonly string[] = ["agent-ready"]): number => {
  const issue = people.openIssue({ by: "bob", title, body: "Write src/done.txt." });
  for (const label of labels) people.label(issue, label, "bob");
  return issue;
};
const headOf = ({ people }: World, pull: number): string => people.thread(pull).pull?.head ?? "";

test("a rejected head, reworked, approved and merged: nothing said breaks what GitHub publishes", async () => {
  const blocker = {
    title: "it says dune",
    body: "Write done.",
    grade: "blocker",
    path: "src/done.txt",
    line: 1,
    kind: "correctness",
  };
  const play = await enter({
    scenes: [
      {
        role: "build",
        file: { path: "src/done.txt", lacks: "dune" },
        steps: [usage, { write: { path: "src/done.txt", text: "dune\n" } }, { done: "wrote it" }],
      },
      {
        role: "build",
        prompt: "it says dune",
        steps: [usage, { write: { path: "src/done.txt", text: "done\n" } }, { done: "corrected it" }],
      },
      {
        role: "review",
        file: { path: "src/done.txt", contains: "dune" },
        steps: [usage, { answer: { verdict: "fail", findings: [blocker], summary: "not yet" } }],
      },
      { role: "review", steps: [usage, { answer: pass }] },
    ],
  });
  const issue = open(play);
  await play.untilState(issue, "In Review");
  await play.settled();
  const pull = await play.pullOf(issue);
  expect(play.people.thread(pull).pull?.inline.length).toBe(1);
  await play.people.approve(pull, "bob");
  await play.untilState(issue, "Done");
  await play.settled();
  expect(faults()).toEqual([]);
});

test("a flagged ticket, commands in every place and people who change their minds", async () => {
  const flag = {
    decision: "flag",
    where: { ok: false, reason: "which file?" },
    what: fine,
    acceptance: fine,
    ambiguity: fine,
    gapComment: "which file?",
  };
  const play = await enter({ scenes: [{ role: "gate", prompt: "vague", steps: [usage, { answer: flag }] }] });
  const { people } = play;
  const issue = open(play, "vague");
  await play.until("flagged", () => people.thread(issue).labels.has("needs-spec"));
  await play.settled();
  people.editIssue(issue, "bob", { title: "Say done", body: "Write src/done.txt, please." });
  people.label(issue, "agent-ready", "bob");
  await play.untilState(issue, "In Review");
  await play.settled();
  const pull = await play.pullOf(issue);
  people.comment(issue, "bob", "/forgehand status");
  await people.comments(pull, "eve", "/forgehand approve");
  await people.inline(pull, "eve", "/forgehand approve", { path: "src/done.txt", line: 1 });
  await people.requestChanges(pull, "ada", "Not so.");
  await play.settled();
  await people.dismiss(pull, "ada");
  await people.editPull(pull, "bob", { title: "Says done" });
  await play.settled();
  await people.push(people.thread(pull).pull?.headRef ?? "", "bob", { "src/more.txt": "more\n" });
  await play.settled();
  people.press(headOf(play, pull), "retry", "bob");
  await people.closePull(pull, "bob");
  await play.untilState(issue, "Blocked");
  await people.reopenPull(pull, "bob");
  await play.settled();
  people.label(issue, "forgehand:halt", "tri");
  await play.settled();
  people.unlabel(issue, "forgehand:halt", "tri");
  people.closeIssue(issue, "bob", "not_planned");
  await play.settled();
  people.reopenIssue(issue, "bob");
  await play.settled();
  people.deleteIssue(issue, "bob");
  await play.settled();
  expect(faults()).toEqual([]);
});

test("armed, disarmed by an objection, red, green, and merged by GitHub itself", async () => {
  const play = await enter();
  const { people } = play;
  people.protect("main", { checks: ["ci", "forgehand / gate"], approvals: 1 });
  // What GitHub told nobody and has forgotten is read from the issue and its history instead.
  const { courier, state } = play.hub;
  const known = state.deliveries.length;
  courier.deliver = () => [];
  const issue = open(play);
  await courier.idle();
  state.deliveries.splice(known);
  courier.deliver = undefined;
  play.forgehand.reconcile();
  await play.untilState(issue, "In Review");
  await play.settled();
  const pull = await play.pullOf(issue);
  await people.check(headOf(play, pull), "ci", "pending");
  await people.status(headOf(play, pull), "docs", "pending");
  await people.approve(pull, "bob");
  await play.until("armed", () => people.thread(pull).pull?.auto !== undefined);
  await play.settled();
  people.label(issue, "forgehand:halt", "bob");
  await play.until("disarmed", () => people.thread(pull).pull?.auto === undefined);
  await play.settled();
  people.unlabel(issue, "forgehand:halt", "bob");
  people.comment(issue, "bob", "/forgehand retry");
  await play.settled();
  await people.status(headOf(play, pull), "docs", "success");
  await people.check(headOf(play, pull), "ci", "failure");
  await people.check(headOf(play, pull), "ci", "success");
  await play.settled();
  people.comment(pull, "bob", "/forgehand approve");
  await play.untilState(issue, "Done");
  await play.settled();
  expect(faults()).toEqual([]);
});

test("every other route and refusal of the forge answers as published, too", async () => {
  stand = await openStand();
  await askEverything(stand);
  await stand.heard();
  expect(faults()).toEqual([]);
});

test("what the adapter asks beside those plays is as published, too", async () => {
  stand = await openStand();
  await askThroughAdapter(stand);
  await stand.heard();
  expect(faults()).toEqual([]);
});

/** Routes that no play and no call above got an answer from, and why. */
const notExercised: readonly (readonly [string, string])[] = [
  [
    "POST /repos/:owner/:name/statuses/:sha",
    "our App may only read statuses; CI sets them by `people.status`",
  ],
  [
    "GET /:owner/:name/logs/:id",
    "where a job's log is redirected to; GitHub's address of it is not published",
  ],
];

test("every route of the forge was asked and gave what was asked for, or is listed", () => {
  const isAsked = (route: (typeof routes)[number]): boolean =>
    recorder.exchanges.some((exchange) => exchange.status < 300 && isAt(exchange, route));
  expect(routes.length).toBeGreaterThan(40);
  expect(routes.filter((route) => !isAsked(route)).map(({ method, path }) => `${method} ${path}`)).toEqual(
    notExercised.map(([route]) => route),
  );
});

test("every GraphQL query of the adapter was sent", () => {
  const folder = new URL("../../src/adapters/github/", import.meta.url);
  const written = readdirSync(folder)
    .flatMap((name) => [
      ...readFileSync(new URL(name, folder), "utf8").matchAll(/["`]((?:query|mutation) \([^"`]+)["`]/g),
    ])
    .map(([, query = ""]) => query);
  const sent = recorder.exchanges.flatMap(({ body }) => (body as { readonly query?: string })?.query ?? []);
  // What is put into a query where it is sent may be anything.
  const isSent = (query: string): boolean => {
    const fixed = query.split(/\$\{\w+\}/u).map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/gu, "\\$&"));
    const pattern = new RegExp(`^${fixed.join("[^]+")}$`, "u");
    return sent.some((one) => pattern.test(one));
  };
  expect(written.length).toBeGreaterThan(10);
  expect(written.filter((query) => !isSent(query))).toEqual([]);
});

test("every piece of news that the forge tells was heard", () => {
  const heard = recorder.exchanges.flatMap(({ sent, body }) => {
    const name = sent.get("x-github-event");
    const { action } = (body ?? {}) as { readonly action?: string };
    return name === null ? [] : [action === undefined ? name : `${name}.${action}`];
  });
  expect([...new Set(heard)].toSorted()).toEqual([
    "check_run.completed",
    "check_run.created",
    "check_run.requested_action",
    "check_suite.completed",
    "delete",
    "issue_comment.created",
    "issue_comment.deleted",
    "issue_comment.edited",
    "issues.closed",
    "issues.deleted",
    "issues.edited",
    "issues.labeled",
    "issues.opened",
    "issues.reopened",
    "issues.transferred",
    "issues.unlabeled",
    "merge_group.checks_requested",
    "pull_request.auto_merge_disabled",
    "pull_request.auto_merge_enabled",
    "pull_request.closed",
    "pull_request.converted_to_draft",
    "pull_request.dequeued",
    "pull_request.edited",
    "pull_request.enqueued",
    "pull_request.labeled",
    "pull_request.opened",
    "pull_request.ready_for_review",
    "pull_request.reopened",
    "pull_request.review_requested",
    "pull_request.synchronize",
    "pull_request.unlabeled",
    "pull_request_review.dismissed",
    "pull_request_review.edited",
    "pull_request_review.submitted",
    "pull_request_review_comment.created",
    "pull_request_review_comment.edited",
    "push",
    "status",
  ]);
});

test("whatever is not as published is found", async () => {
  stand = await openStand();
  await stand.people.push("work", "bob", { "a.txt": "x\n" });
  await stand.api("POST", "/pulls", { title: "t", head: "work", base: "main" });
  await stand.graphql("query ($id: ID!) { node(id: $id) { ... on PullRequest { isDraft } } }", {
    id: (await stand.api("GET", "/pulls/1")).body["node_id"],
  });
  await stand.heard();
  const said = recorder.exchanges.slice(judged);
  expect(faults()).toEqual([]);
  const one = (is: (exchange: Exchange) => boolean): Exchange => said.find(is) as Exchange;
  const read = one(({ method, url }) => method === "GET" && url.endsWith("/pulls/1"));
  const made = one(({ method, url }) => method === "POST" && url.endsWith("/pulls"));
  const told = one(({ sent }) => sent.get("x-github-event") === "pull_request");
  const asked = one(({ url }) => url.endsWith("/graphql"));
  const answering = (change: Json): Exchange => ({
    ...read,
    answer: { ...(read.answer as Json), ...change },
  });
  const telling = (change: Json): Exchange => ({ ...told, body: { ...(told.body as Json), ...change } });
  const without = (name: string): Exchange => ({
    ...read,
    answer: Object.fromEntries(Object.entries(read.answer as Json).filter(([key]) => key !== name)),
  });
  const tampered: readonly (readonly [Exchange, string])[] = [
    [answering({ number: "1" }), "/number must be integer"],
    [answering({ state: "merged" }), "/state must be equal to one of"],
    [answering({ title: null }), "/title must be string"],
    [answering({ created_at: "yesterday" }), "/created_at must match format"],
    [answering({ surprise: true }), "/surprise is not published"],
    [without("node_id"), "must have required property 'node_id'"],
    [without("html_url"), "must have required property 'html_url'"],
    [{ ...read, status: 418 }, "the status 418 is not published"],
    [{ ...read, url: `${read.url}?colour=red` }, "query /colour is not published"],
    [{ ...read, url: read.url.replace("/pulls/1", "/pulls/one") }, "path /pull_number must be integer"],
    [{ ...read, url: `${read.url}/blame` }, "is no operation of GitHub's"],
    [{ ...made, body: { title: "t", base: "main" } }, "sent / must have required property 'head'"],
    [{ ...made, body: { ...(made.body as Json), automerge: true } }, "sent /automerge is not published"],
    [telling({ number: null }), "/number must be integer"],
    [telling({ action: "painted" }), "GitHub publishes no such event and action"],
    [
      { ...told, sent: new Headers({ "x-github-event": "pull_request" }) },
      "the header X-GitHub-Delivery is missing",
    ],
    [{ ...asked, body: { query: "query { viewer { shoeSize } }" } }, 'Cannot query field "shoeSize"'],
    [{ ...asked, answer: { data: { node: { isDraft: "no" } } } }, "Boolean cannot represent"],
    [{ ...asked, answer: { data: { node: { isDraft: true, number: 1 } } } }, "what was asked for is"],
  ];
  for (const [exchange, complaint] of tampered)
    expect(faultsOf([exchange])).toContainEqual(expect.stringContaining(complaint));
  // The one thing that may be missing: addresses that no code of ours reads.
  expect(faultsOf([without("url")])).toEqual([]);
});
