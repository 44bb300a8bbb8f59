/** Tickets of a repository of this host, on the same machine, gate, review and ledger as anywhere else. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { scriptedAgent } from "../../src/adapters/agents/scripted.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { changeTicketFile, filesIn } from "../../src/adapters/local/ticket-folder.ts";
import { readEnvironment } from "../../src/config-environment.ts";
import { localHome } from "../../src/home-local.ts";
import { openForgehand, type Forgehand } from "../../src/main.ts";
import { verifyLedger } from "../../src/shell/verify-ledger.ts";
import type { State } from "../../src/state-machine/ticket.ts";
import { hashed } from "../../src/web/door.ts";
import { openLocalStage, writtenTicket, type LocalStage } from "../local-stage.ts";
import { fallback, fine, proceed, usage } from "../world.ts";

let stage: LocalStage;
let forgehand: Forgehand;
beforeEach(async () => {
  stage = openLocalStage();
  scenes([]);
  forgehand = await open();
});
afterEach(async () => {
  const { faults } = await verifyLedger(forgehand.store);
  await forgehand.stop(0);
  stage.close();
  expect(faults).toEqual([]);
});

const scenes = (list: readonly object[]): void =>
  writeFileSync(join(stage.dir, "scenes.json"), JSON.stringify([...list, ...fallback]));

async function open(): Promise<Forgehand> {
  const { parts, place } = stage;
  const folder = join(stage.dir, "state");
  const searchPath = process.env["PATH"] ?? "";
  const common = { scenes: join(stage.dir, "scenes.json"), searchPath, clock: systemClock() };
  const agents = [
    scriptedAgent({ ...common, name: "claude-code", family: "anthropic", model: "claude-opus-5-5" }),
    scriptedAgent({ ...common, name: "codex", family: "openai", model: "gpt-5.5" }),
  ];
  return await openForgehand({
    environment: {
      ...readEnvironment({}, () => ""),
      dataDir: folder,
      database: join(folder, "forgehand.db"),
    },
    agents: new Map(agents.map((agent) => [agent.name, agent])),
    log: pino({ level: "silent" }),
    home: localHome({
      place,
      folder,
      folders: parts.folders,
      base: "main",
      operator: "ada",
      runtimes: agents.map(({ name }) => name),
      env: { HOME: join(stage.dir, "home") },
    }),
  });
}

const idOf = (number: number): string => `local:${stage.place.id}#${number}`;
const write = (labels: readonly string[], where: "own" | "repository" = "own"): number =>
  writtenTicket(stage.parts, { body: "Write src/done.txt.", labels }, where);
const stored = (number: number) => forgehand.store.load(idOf(number));
async function until(what: string, fact: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await fact())) {
    if (Date.now() > end) throw new Error(`it never came to pass: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const untilState = (number: number, state: State): Promise<void> =>
  until(`#${number} is ${state}`, async () => (await stored(number))?.ticket.state === state);
const settled = (): Promise<void> => until("everything is settled", () => forgehand.idle());
const operator = async (number: number, event: object): Promise<void> => {
  const id = `op:${JSON.stringify(event)}`;
  const body = JSON.stringify({ ...event, actor: "operator:ada" });
  await forgehand.store.receive({
    id,
    source: "operator",
    name: "told",
    ticket: idOf(number),
    body,
    receivedAt: 1,
  });
};
const fileOf = (number: number): string =>
  readFileSync(filesIn(stage.parts.folders).get(number) ?? "", "utf8");

test("from a file to a merge that a person approved, with nothing else touched", async () => {
  stage.write("README.md", "# not committed\n");
  const number = write(["agent-ready"]);
  await untilState(number, "In Review");
  const { head = "", pull = 0 } = (await stored(number))?.ticket ?? {};
  expect(stage.git("rev-parse", `forgehand/${number}-say-done`)).toBe(head);
  expect(stage.git("rev-list", "--count", "main")).toBe("1");
  expect(existsSync(join(stage.top, "src"))).toBe(false);
  await settled();
  expect(stage.parts.records.pull(pull)).toMatchObject({ draft: false, reviews: [{ head }] });
  await operator(number, { type: "human.approved", head, by: "operator:ada" });
  await untilState(number, "Done");
  await settled();
  expect(readFileSync(join(stage.top, "src", "done.txt"), "utf8")).toBe("done\n");
  expect(stage.git("log", "-1", "--format=%s", "main")).toBe(`Say done (local-${number})`);
  expect(stage.git("status", "--porcelain")).toBe("M README.md");
  expect(stage.git("for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
  expect(fileOf(number)).toContain("closed: completed");
});

test("the dashboard is there for this host alone, lets nobody in without a link, and takes an approval", async () => {
  const number = write(["agent-ready"]);
  await untilState(number, "In Review");
  const { url, store } = forgehand;
  expect(new URL(url).hostname).toBe("127.0.0.1");
  expect(await store.setting("served-at")).toMatchObject({ value: url });
  expect((await fetch(url, { redirect: "manual" })).status).toBe(401);
  await store.giveWebToken(hashed("once"), "operator:ada", Date.now() + 60_000);
  const entered = await fetch(`${url}/enter?token=once`, { redirect: "manual" });
  const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
  const at = `${url}/tickets/${encodeURIComponent(idOf(number))}`;
  const page = await (await fetch(at, { headers: { cookie } })).text();
  expect(page).toContain("Say done");
  const field = (name: string): string =>
    new RegExp(`name="${name}" value="([^"]*)"`, "u").exec(page)?.[1] ?? "";
  const form = new URLSearchParams({ csrf: field("csrf"), seen: field("seen") });
  const order = { method: "POST", redirect: "manual", body: form, headers: { cookie, origin: url } } as const;
  expect((await fetch(`${at}/approve`, order)).status).toBe(303);
  await untilState(number, "Done");
});

test("a label in the file counts as the operator's: merged without an approval, by the runtime it picks", async () => {
  const number = write(["agent-ready", "auto-merge", "runtime/codex"], "repository");
  await untilState(number, "Done");
  const sessions = await forgehand.store.sessionsOf(idOf(number));
  expect(sessions.map(({ role, runtime }) => `${role} ${runtime}`)).toContain("build codex");
  expect(sessions.map(({ role, runtime }) => `${role} ${runtime}`)).toContain("review claude-code");
});

test("a flagged ticket says what is missing in its file, and goes on with what is written there then", async () => {
  scenes([
    {
      role: "gate",
      prompt: "Write src/done",
      steps: [
        usage,
        {
          answer: {
            ...proceed,
            decision: "flag",
            what: { ok: false, reason: "which words" },
            gapComment: "Which words?",
          },
        },
      ],
    },
  ]);
  const number = write(["agent-ready"]);
  await untilState(number, "Backlog");
  await until("the label", async () => fileOf(number).includes("needs-spec"));
  expect(fileOf(number)).not.toContain("agent-ready");
  const path = filesIn(stage.parts.folders).get(number) ?? "";
  writeFileSync(path, fileOf(number).replace("Write src/done.txt.", "Put the word done into a file."));
  changeTicketFile(stage.parts.folders, number, { add: ["agent-ready"], remove: [] });
  await untilState(number, "In Review");
  await until("the label is gone", async () => !fileOf(number).includes("needs-spec"));
  expect(fileOf(number)).toContain("Put the word done into a file.");
});

test("whoever edits what they released takes the release back", async () => {
  const go = join(stage.dir, "go");
  scenes([
    {
      role: "build",
      steps: [usage, { run: `until test -e ${go}; do sleep 0.05; done` }, { done: "nothing" }],
    },
  ]);
  const number = write(["agent-ready"]);
  await untilState(number, "In Progress");
  const path = filesIn(stage.parts.folders).get(number) ?? "";
  writeFileSync(path, fileOf(number).replace("done.txt", "other.txt"));
  await untilState(number, "Blocked");
  writeFileSync(go, "");
  expect((await stored(number))?.ticket.spec).toBeUndefined();
});

test("words of the person send it back, and the next build reads them", async () => {
  const number = write(["agent-ready"]);
  await untilState(number, "In Review");
  scenes([
    {
      role: "build",
      prompt: "in capital letters",
      steps: [usage, { write: { path: "src/done.txt", text: "DONE\n" } }, { done: "as asked" }],
    },
  ]);
  await operator(number, { type: "human.objected", by: "operator:ada", order: "Say it in capital letters." });
  await until("another head", async () => {
    const { state, head } = (await stored(number))?.ticket ?? {};
    return (
      state === "In Review" && head !== undefined && stage.git("show", `${head}:src/done.txt`) === "DONE"
    );
  });
});

test("a deleted file ends its ticket; a merge by hand is one; a commit on the branch is reviewed anew", async () => {
  const [gone, byHand] = [write(["agent-ready"]), write(["agent-ready"])];
  await untilState(gone, "In Review");
  await untilState(byHand, "In Review");
  rmSync(filesIn(stage.parts.folders).get(gone) ?? "");
  await untilState(gone, "Cancelled");
  const branch = `forgehand/${byHand}-say-done`;
  const pushed = stage.push(branch, "more.txt", "mine\n");
  await until("the new head is reviewed", async () => (await stored(byHand))?.ticket.reviewed === pushed);
  stage.git("merge", "-q", "--no-ff", "-m", "By hand", branch);
  await untilState(byHand, "Done");
  expect(
    (await forgehand.store.linesOf(idOf(byHand))).find(({ event }) => event.type === "pr.merged")?.event,
  ).toMatchObject({
    merge: stage.git("rev-parse", "main"),
  });
});

test("one family alone builds, and stops where another would have to review", async () => {
  await forgehand.stop(0);
  const list = [
    { role: "review", steps: [usage, { answer: { verdict: "pass", findings: [], summary: fine.reason } }] },
  ];
  scenes(list);
  stage.push("main", ".github/forgehand.yml", "runtime: { roles: { build: codex, review: codex } }\n");
  stage.git("reset", "-q", "--hard", "main");
  forgehand = await open();
  const number = write(["agent-ready"]);
  await untilState(number, "Blocked");
  await settled();
  expect(
    stage.parts.records
      .any(number)
      ?.comments.map(({ body }) => body)
      .join("\n"),
  ).toContain("as the builder did");
});
