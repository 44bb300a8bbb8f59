/** Tickets that a label `workflow/<name>` hands to a workflow of the operator's own. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { explain } from "../../src/cli/explain.ts";
import { answerRun } from "../../src/engine/index.ts";
import { openSqlite } from "../../src/sql.ts";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const docs = `
import { Approval, Sequence, Task, leaf, workflow, ShellOutput } from "forgehand";
import { z } from "zod";
const plan = leaf("plan", z.object({ files: z.array(z.string()) }));
const listed = leaf("list", ShellOutput);
export default workflow({
  name: "docs",
  input: z.object({ title: z.string(), brief: z.string(), runtime: z.string() }),
  output: z.object({ summary: z.string() }),
  render: (ctx) => (
    <Sequence>
      <Task {...plan} agent={ctx.input.runtime} access="read" prompt={"PLAN " + ctx.input.title} />
      <Task id="write" output={z.string()} agent={ctx.input.runtime} prompt={"WRITE " + ctx.input.brief} />
      <Task {...listed} command="ls src" />
    </Sequence>
  ),
  result: (ctx) => ({ summary: "planned " + ctx.output(plan).files.join(" ") + "; there is " + ctx.output(listed).stdout.trim() }),
});
`;
const scenes = [
  { role: "advise", prompt: "PLAN", steps: [usage, { answer: { files: ["src/done.txt"] } }] },
  {
    role: "build",
    prompt: "WRITE",
    steps: [usage, { write: { path: "src/done.txt", text: "done\n" } }, { done: "wrote it" }],
  },
];
function offer(name: string, text: string): void {
  const folder = join(world.dir, "data", "workflows");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.tsx`), text);
}
function open(...labels: readonly string[]): number {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  for (const label of labels) world.people.label(issue, label, "bob");
  return issue;
}

test("the picked workflow builds in the ticket's worktree, on its bill, and the other family reviews", async () => {
  world = await openWorld({ scenes });
  offer("docs", docs);
  const issue = open("workflow/docs", "runtime/codex", "agent-ready");
  await world.untilState(issue, "In Review");
  await world.settled();
  const { store } = world.forgehand;
  const sessions = await store.sessionsOf(`github:${world.repo.id}#${issue}`);
  expect(sessions.map(({ role, runtime, family }) => [role, runtime, family])).toEqual([
    ["gate", expect.any(String), expect.any(String)],
    ["advise", "codex", "openai"],
    ["build", "codex", "openai"],
    ["review", "claude-code", "anthropic"],
  ]);
  expect(sessions.filter(({ usd }) => usd > 0)).toHaveLength(4);
  const pull = world.people.thread(await world.pullOf(issue));
  expect(pull.body).toContain("planned src/done.txt; there is done.txt");
});

test("what a workflow asks a person is answered by the name of its run, and then it goes on", async () => {
  world = await openWorld({ scenes });
  offer("docs", docs.replace("<Sequence>", '<Sequence><Approval id="go" ask="Begin?" />'));
  const issue = open("workflow/docs", "agent-ready");
  await world.untilState(issue, "In Progress");
  const ticket = `github:${world.repo.id}#${issue}`;
  const run = (await world.forgehand.store.load(ticket))?.ticket.run ?? "";
  await world.until("it waits", async () => (await world.forgehand.engine.run(run))?.status === "waiting");
  const database = join(world.dir, "data", "forgehand.db");
  const told = await explain(ticket, { database });
  expect(told.text).toContain(`its workflow asks: Begin? Answer with forgehand approve ${run} own/go`);
  const sql = openSqlite(database);
  const answer = { decision: "approved", by: "bob", note: "" };
  expect(await sql.commit(() => answerRun(run, "own/go", answer, Date.now()))).toBe("answered");
  sql.close();
  await world.untilState(issue, "In Review");
});

test("two workflow labels contest the choice, and an unknown one is refused", async () => {
  world = await openWorld({ scenes });
  offer("docs", docs);
  offer("careful", docs.replace('"docs"', '"careful"'));
  const two = open("workflow/docs", "workflow/careful", "agent-ready");
  await world.settled();
  expect(await world.stateOf(two)).not.toBe("In Progress");
  expect(
    world.people
      .thread(two)
      .comments.map(({ body }) => body)
      .join(),
  ).toContain("`workflow/careful`, `workflow/docs`");
  const odd = open("workflow/magic", "agent-ready");
  await world.untilState(odd, "In Review");
});

test("a workflow that cannot be loaded blocks its ticket with the reason, and builds it once it is mended", async () => {
  world = await openWorld({ scenes });
  offer("docs", "export default {");
  const issue = open("workflow/docs", "agent-ready");
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(
    world.people
      .thread(issue)
      .comments.map(({ body }) => body)
      .join(),
  ).toContain("the workflow `docs` cannot be used");
  offer("docs", docs);
  world.people.comment(issue, "bob", "/forgehand retry");
  await world.untilState(issue, "In Review");
});

test("a restart in the middle goes on with the workflow where it was", async () => {
  world = await openWorld({
    scenes: [
      scenes[0] ?? {},
      { ...scenes[1], steps: [usage, { sleep: 2_000 }, ...(scenes[1]?.steps ?? [])] },
    ],
  });
  offer("docs", docs);
  const issue = open("workflow/docs", "agent-ready");
  const ticket = `github:${world.repo.id}#${issue}`;
  const { store } = world.forgehand;
  await world.until("the writer is at work", async () =>
    (await store.sessionsOf(ticket)).some(({ role }) => role === "build"),
  );
  await world.forgehand.stop(0);
  await world.start();
  await world.untilState(issue, "In Review");
  const sessions = await world.forgehand.store.sessionsOf(ticket);
  expect(sessions.filter(({ role }) => role === "advise")).toHaveLength(1);
  rmSync(join(world.dir, "data", "workflows"), { recursive: true });
});
