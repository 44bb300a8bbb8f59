/** Plays an example as a person runs it: the compiled program, a real repository, agents with written parts; whole, and killed in the middle. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { expect, onTestFinished, vi } from "vitest";
import { processAt } from "../../src/adapters/processes/process-table.ts";
import { run, start, type Ended } from "../cli/run.ts";

/** What an agent does when these words stand in its prompt; it writes its name into the journal first. */
export interface Part {
  readonly name: string;
  readonly prompt: string | readonly string[];
  /** Only where this holds of a file of the repository. */
  readonly file?: { readonly path: string; readonly contains?: string; readonly lacks?: string };
  readonly steps: readonly object[];
}
export interface Play {
  /** The example's file, without its ending. */
  readonly example: string;
  readonly input: object;
  readonly parts: readonly Part[];
  /** The leaf at which the process is killed: an agent's where its part is named, else a command's that says `stage.pause`. */
  readonly cut?: Cut;
  /** What people type whenever the run waits for them, in this order. */
  readonly people?: readonly ((stage: Stage) => readonly string[])[];
  /** Leaves that fail for good. */
  readonly mayFail?: readonly string[];
  /** What the process ends with. */
  readonly code?: number;
}
interface Cut {
  readonly leaf: string;
  readonly part?: string;
}
export interface Stage {
  readonly repository: string;
  /** For a command: hangs there once in the life that is cut, and does nothing otherwise. */
  readonly pause: string;
  git(...argv: readonly string[]): string;
  write(path: string, text: string): void;
  read(path: string): string;
  commit(message: string): string;
  /** For a command: writes this line into the journal. */
  note(line: string): string;
}
export interface Life<Output> {
  readonly stage: Stage;
  readonly output: Output;
  /** What was begun to be done, in the order it was. */
  readonly journal: readonly string[];
  readonly said: string;
}

/** Plays it whole and once cut, and proves that the second life did no finished task again and ended like the first. */
export async function bothLives<Output>(play: (stage: Stage) => Play): Promise<Life<Output>> {
  const whole = await live<Output>(play, "whole");
  const cut = await live<Output>(play, "cut");
  expect(sorted(cut.journal)).toEqual(sorted(whole.journal));
  expect(timeless(cut.output)).toEqual(timeless(whole.output));
  expect(cut.stage.git("ls-files", "-s")).toBe(whole.stage.git("ls-files", "-s"));
  expect(cut.stage.git("status", "--porcelain")).toBe(whole.stage.git("status", "--porcelain"));
  return whole;
}
const sorted = (lines: readonly string[]): readonly string[] => lines.toSorted();
/** Commits are named after the second they were made in, and each life has a folder of its own. */
const timeless = (output: unknown): unknown =>
  JSON.parse(
    JSON.stringify(output)
      .replace(/\b[0-9a-f]{7,40}\b/gu, "commit")
      .replace(/\/example-\w{6}\//gu, "/example/"),
  );

/** Plays it whole, or until it is killed, and then on by another process. */
export async function live<Output>(
  play: (stage: Stage) => Play,
  which: "whole" | "cut",
): Promise<Life<Output>> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "example-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const { stage, journal, atWork } = openStage(root, which);
  const { example, input, parts, cut, people = [], mayFail = [], code = 0 } = play(stage);
  const scenes = join(root, "scenes.json");
  const hangs = which === "cut" ? cut?.part : undefined;
  writeFileSync(scenes, JSON.stringify(scenesOf(parts, { journal, atWork, hangs })));
  const file = fileURLToPath(new URL(`../../examples/${example}.tsx`, import.meta.url));
  const given = JSON.stringify({ agent: "scripted", ...input });
  const desk: Desk = {
    stage,
    env: { FORGEHAND_SCENES: scenes },
    begin: ["workflow", "run", file, "--run", "r1", "--input", given],
    people: people.values(),
  };
  const ended =
    cut === undefined || which === "whole"
      ? await carry(desk, await type(desk, desk.begin))
      : await carryCut(desk, cut, atWork);
  expect(ended, `${ended.out}${ended.err}`).toMatchObject({ code });
  const unended = rowsOf(stage).filter(({ status }) => !["finished", "lost"].includes(status));
  expect(unended.map(({ leaf }) => leaf)).toEqual(mayFail);
  const lines = existsSync(journal) ? readFileSync(journal, "utf8").trim().split("\n") : [];
  const output = (code === 0 ? JSON.parse(ended.out) : ended.out) as Output;
  return { stage, output, journal: lines, said: `${ended.out}${ended.err}` };
}

/** Where a person types. */
interface Desk {
  readonly stage: Stage;
  readonly env: Readonly<Record<string, string>>;
  /** The line that begins the run. */
  readonly begin: readonly string[];
  readonly people: Iterator<(stage: Stage) => readonly string[], void>;
}
const resume = ["workflow", "resume", "r1"] as const;
const type = async ({ stage, env }: Desk, line: readonly string[]): Promise<Ended> =>
  await run(line, env, stage.repository);

/** A person answers what the run waits for; false when nobody has anything to say. */
async function isAnswered(desk: Desk, ended: Ended): Promise<boolean> {
  const said = ended.code === 3 ? desk.people.next() : undefined;
  if (said === undefined || said.done === true) return false;
  expect(await type(desk, said.value(desk.stage))).toMatchObject({ code: 0 });
  return true;
}
async function carry(desk: Desk, ended: Ended): Promise<Ended> {
  return (await isAnswered(desk, ended)) ? await carry(desk, await type(desk, resume)) : ended;
}

/** Kills the process at the leaf that is cut, and lets another carry the run on. */
async function carryCut(desk: Desk, cut: Cut, atWork: string): Promise<Ended> {
  let line: readonly string[] = desk.begin;
  let left = await killed(desk, line, cut, atWork);
  // People may be asked before it comes to the leaf that is cut.
  while ("ended" in left) {
    if (!(await isAnswered(desk, left.ended)))
      throw new Error(`it ended before it came to ${cut.leaf}: ${left.ended.out}${left.ended.err}`);
    line = resume;
    left = await killed(desk, line, cut, atWork);
  }
  const ended = await carry(desk, await type(desk, resume));
  expect(processAt(Number(readFileSync(atWork, "utf8"))), "what the dead process left").toBeUndefined();
  proveNothingTwice(left.rows, rowsOf(desk.stage), cut.leaf);
  return ended;
}

/** Runs until the leaf is at work and kills the process there; how it ended where it never came so far. */
async function killed(
  { stage, env }: Desk,
  line: readonly string[],
  cut: Cut,
  atWork: string,
): Promise<{ readonly rows: readonly Row[] } | { readonly ended: Ended }> {
  const running = start(line, env, stage.repository);
  let ended: Ended | undefined;
  void running.ended.then((end) => (ended = end));
  await vi.waitFor(
    () => {
      if (ended !== undefined) return;
      if (!existsSync(atWork) || !readFileSync(atWork, "utf8").endsWith("\n"))
        throw new Error(`${cut.leaf} is not yet at work`);
      const [row, ...others] = rowsOf(stage).filter(({ status }) => status === "running");
      // What is at work beside it may end first; an agent's session is kept with its first word, perhaps after its deeds.
      const isKept = row !== undefined && (cut.part === undefined || sessionOf(row) !== undefined);
      if (row?.leaf !== cut.leaf || others.length > 0 || !isKept)
        throw new Error(`${cut.leaf} is not yet alone at work`);
    },
    { timeout: 60_000, interval: 10 },
  );
  if (ended !== undefined) return { ended };
  expect(processAt(Number(readFileSync(atWork, "utf8")))).toBeDefined();
  running.process.kill("SIGKILL");
  await running.ended;
  return { rows: rowsOf(stage) };
}

interface Row {
  readonly seq: number;
  readonly leaf: string;
  readonly iteration: string;
  readonly attempt: number;
  readonly status: string;
  readonly output: string | null;
  readonly memory: string | null;
}
function rowsOf({ repository }: Stage): Row[] {
  const database = new Database(join(repository, ".forgehand/workflows.db"), { readonly: true });
  try {
    return database
      .prepare(
        "select seq, leaf, iteration, attempt, status, output, memory from attempt where run = 'r1' and cut = 0 order by seq",
      )
      .all() as Row[];
  } finally {
    database.close();
  }
}
const sessionOf = ({ memory }: Row): string | undefined =>
  memory === null ? undefined : (JSON.parse(memory) as { session?: string }).session;

function proveNothingTwice(before: readonly Row[], after: readonly Row[], cut: string): void {
  const nameOf = ({ leaf, iteration }: Row): string => `${leaf}@${iteration}`;
  for (const row of before.filter(({ status }) => status === "finished"))
    expect(after.filter((one) => nameOf(one) === nameOf(row))).toEqual([row]);
  const lost = after.filter(({ status }) => status === "lost");
  expect(lost.map(({ leaf }) => leaf)).toContain(cut);
  for (const row of lost) {
    const next = after.find((one) => nameOf(one) === nameOf(row) && one.attempt === row.attempt + 1);
    expect(next).toMatchObject({ status: "finished" });
    if (next !== undefined && sessionOf(row) !== undefined) expect(sessionOf(next)).toBe(sessionOf(row));
  }
}

/** The parts as the program reads them; in the life that is cut one of them hangs the first time, and goes on when it is told to. */
function scenesOf(
  parts: readonly Part[],
  at: { readonly journal: string; readonly atWork: string; readonly hangs: string | undefined },
): readonly object[] {
  const scene = ({ name, prompt, file, steps }: Part) => ({
    prompt,
    ...(file && { file }),
    steps: [{ run: `echo '${name}' >> ${at.journal}` }, ...steps],
  });
  const hung = parts.find(({ name }) => name === at.hangs);
  if (at.hangs !== undefined && hung === undefined) throw new Error(`no part is called ${at.hangs}`);
  const hanging = hung && [
    { ...scene(hung), prompt: "You were interrupted" },
    {
      ...scene(hung),
      file: [...(hung.file === undefined ? [] : [hung.file]), { path: at.atWork, lacks: "\n" }],
      steps: [{ stubborn: true }, { run: `echo $PPID > ${at.atWork}` }, { sleep: 600_000 }],
    },
  ];
  return [...(hanging ?? []), ...parts.map(scene)];
}

function openStage(root: string, which: "whole" | "cut") {
  const repository = join(root, "repository");
  const journal = join(root, "journal");
  const atWork = join(root, "at-work");
  mkdirSync(repository);
  const git = (...argv: readonly string[]): string =>
    execFileSync("git", argv, {
      cwd: repository,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: root, GIT_CONFIG_GLOBAL: "/dev/null" },
    }).trim();
  git("init", "-q", "-b", "main");
  git("config", "user.name", "A person");
  git("config", "user.email", "person@example.com");
  const stage: Stage = {
    repository,
    pause: which === "whole" ? ":" : `{ test -e ${atWork} || { echo $$ > ${atWork}; exec sleep 600; }; }`,
    git,
    write: (path, text) => {
      mkdirSync(dirname(join(repository, path)), { recursive: true });
      writeFileSync(join(repository, path), text);
    },
    read: (path) => readFileSync(join(repository, path), "utf8"),
    commit: (message) => {
      git("add", "-A");
      git("commit", "-q", "-m", message);
      return git("rev-parse", "HEAD");
    },
    note: (line) => `echo '${line}' >> ${journal}`,
  };
  return { stage, journal, atWork };
}
