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
import { processAt } from "../../src/adapters/process-table.ts";
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
  readonly cut?: { readonly leaf: string; readonly part?: string };
  /** What people type whenever the run waits for them, in this order. */
  readonly people?: readonly ((stage: Stage) => readonly string[])[];
  /** Leaves that are tried more than once by themselves. */
  readonly mayFail?: readonly string[];
  /** What the process ends with. */
  readonly code?: number;
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

/** Plays it whole, or until it is killed and carried on by another process. */
export async function live<Output>(play: (stage: Stage) => Play, which: "whole" | "cut"): Promise<Life<Output>> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "example-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const { stage, journal, atWork } = openStage(root, which);
  const { example, input, parts, cut, people = [], mayFail = [], code = 0 } = play(stage);
  const scenes = join(root, "scenes.json");
  writeFileSync(
    scenes,
    JSON.stringify(scenesOf(parts, { journal, atWork, cut: which === "cut" ? cut.part : undefined })),
  );
  const env = { FORGEHAND_SCENES: scenes };
  const file = fileURLToPath(new URL(`../../examples/${example}.tsx`, import.meta.url));
  const argv = [
    "workflow",
    "run",
    file,
    "--run",
    "r1",
    "--input",
    JSON.stringify({ agent: "scripted", ...input }),
  ];
  const type = (line: readonly string[]): Promise<Ended> => run(line, env, stage.repository);
  const typed = people.values();
  const carry = async (ended: Ended): Promise<Ended> => {
    const person = ended.code === 3 ? typed.next().value : undefined;
    if (person === undefined) return ended;
    expect(await type(person(stage))).toMatchObject({ code: 0 });
    return await carry(await type(["workflow", "resume", "r1"]));
  };
  let ended: Ended;
  if (which === "whole") ended = await carry(await type(argv));
  else {
    // A person may be asked before it comes to the leaf that is cut.
    let line: readonly string[] = argv;
    let before: readonly Row[] | Ended = await killed(line, { env, stage, atWork, cut });
    while (!Array.isArray(before)) {
      const person = typed.next().value;
      if ((before as Ended).code !== 3 || person === undefined)
        throw new Error(`it ended before it came to ${cut.leaf}: ${JSON.stringify(before)}`);
      expect(await type(person(stage))).toMatchObject({ code: 0 });
      line = ["workflow", "resume", "r1"];
      before = await killed(line, { env, stage, atWork, cut });
    }
    ended = await carry(await type(["workflow", "resume", "r1"]));
    expect(processAt(Number(readFileSync(atWork, "utf8"))), "what the dead process left").toBeUndefined();
    proveNothingTwice(before as readonly Row[], rowsOf(stage), cut.leaf);
  }
  expect(ended, `${ended.out}${ended.err}`).toMatchObject({ code });
  const twice = rowsOf(stage).filter(
    ({ status, leaf }) => !["finished", "lost"].includes(status) && !mayFail.includes(leaf),
  );
  expect(twice).toEqual([]);
  const lines = existsSync(journal) ? readFileSync(journal, "utf8").trim().split("\n") : [];
  const output = (code === 0 ? JSON.parse(ended.out) : ended.out) as Output;
  return { stage, output, journal: lines, said: `${ended.out}${ended.err}` };
}

/** Runs until the leaf is at work and kills the process there; how it ended where it never came so far. */
async function killed(
  argv: readonly string[],
  at: {
    readonly env: Readonly<Record<string, string>>;
    readonly stage: Stage;
    readonly atWork: string;
    readonly cut: Play["cut"];
  },
): Promise<Row[] | Ended> {
  const running = start(argv, at.env, at.stage.repository);
  let ended: Ended | undefined;
  void running.ended.then((end) => (ended = end));
  await vi.waitFor(
    () => {
      if (ended !== undefined) return;
      if (!existsSync(at.atWork) || !readFileSync(at.atWork, "utf8").endsWith("\n"))
        throw new Error("not yet at work");
      const working = rowsOf(at.stage).filter(({ status }) => status === "running");
      const [row, ...others] = working;
      // What is at work beside it may end first; an agent's session is kept with its first word, perhaps after its deeds.
      const isKept = row !== undefined && (at.cut.part === undefined || sessionOf(row) !== undefined);
      if (row?.leaf !== at.cut.leaf || others.length > 0 || !isKept) throw new Error("not yet alone at work");
    },
    { timeout: 30_000, interval: 10 },
  );
  if (ended !== undefined) return ended;
  const pid = Number(readFileSync(at.atWork, "utf8"));
  expect(processAt(pid)).toBeDefined();
  running.process.kill("SIGKILL");
  await running.ended;
  return rowsOf(at.stage);
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
  at: { readonly journal: string; readonly atWork: string; readonly cut: string | undefined },
): readonly object[] {
  const scene = ({ name, prompt, file, steps }: Part) => ({
    prompt,
    ...(file && { file }),
    steps: [{ run: `echo '${name}' >> ${at.journal}` }, ...steps],
  });
  const hung = parts.find(({ name }) => name === at.cut);
  if (at.cut !== undefined && hung === undefined) throw new Error(`no part is called ${at.cut}`);
  const hangs = hung && [
    { ...scene(hung), prompt: "You were interrupted" },
    {
      ...scene(hung),
      file: [...(hung.file === undefined ? [] : [hung.file]), { path: at.atWork, lacks: "\n" }],
      steps: [{ stubborn: true }, { run: `echo $PPID > ${at.atWork}` }, { sleep: 600_000 }],
    },
  ];
  return [...(hangs ?? []), ...parts.map(scene)];
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
