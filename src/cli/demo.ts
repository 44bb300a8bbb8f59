import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { exitCodes } from "../problems.ts";
import { dollars } from "../says.ts";
import { playOnGitHub } from "./demo-github.ts";
import { openDemoLinear, type DemoLinear } from "./demo-linear.ts";
import { demoFolder, named, openStage, type DemoOptions, type Play, type Stage } from "./demo-stage.ts";
import { bold, fail, terminal } from "./output.ts";

const run = promisify(execFile);

/** The main job end to end on a simulated forge: one ticket flagged, two merged, and main's tests green. */
export async function demo(options: DemoOptions): Promise<void> {
  let linear: DemoLinear | undefined;
  try {
    linear = options.tracker === "linear" ? await openDemoLinear() : undefined;
    const stage = await openStage(demoFolder(options), options, linear?.settings);
    try {
      const play = linear === undefined ? await playOnGitHub(stage) : await linear.play(stage);
      await stage.settled(linear?.courier);
      await finish(stage, play, options);
    } finally {
      await stage.close();
    }
  } catch (error) {
    fail(error, { ...options, schema: "demo/1" });
  } finally {
    await linear?.close();
  }
}

/** Believes nothing but the remote: clones main, looks for both changes, runs its tests. */
async function finish(
  { dir, repo, forgehand, environment, tell }: Stage,
  play: Play,
  options: DemoOptions,
): Promise<void> {
  const { good, vague, rejected } = play;
  const clone = join(dir, "main");
  await run("git", ["clone", "-q", repo.dir, clone]);
  const { stdout: log } = await run("git", ["-C", clone, "log", "--format=%s"]);
  const merged = [good, rejected].map(({ name }) => name).filter((name) => log.includes(`(${name})`));
  const tests = await run("npm", ["test", "--silent"], { cwd: clone })
    .then(() => "pass" as const)
    .catch(() => "fail" as const);
  const sessions = (
    await Promise.all([good, vague, rejected].map(({ id }) => forgehand.store.sessionsOf(id)))
  ).flat();
  const usd = sessions.reduce((sum, session) => sum + session.usd, 0);
  const [flagged, finished] = [play.isFlagged(), play.isFinished()];
  tell(
    "remote",
    `main holds ${merged.length} of 2 merges, its tests ${tests}, ${vague.name} is ${flagged ? "flagged with what is missing" : "not flagged"}${finished ? "" : ", and the tracker does not show both as done"}`,
  );
  const isGood = merged.length === 2 && tests === "pass" && flagged && finished;
  const { database } = environment;
  const data = {
    good: isGood,
    tracker: options.tracker,
    merged,
    flagged,
    finished,
    tests,
    usd,
    agents: sessions.length,
    database,
    dir,
  };
  const command = `node ${resolve(process.argv[1] ?? "dist/cli/forgehand.js")}`;
  if (options.json === true) terminal.out(`${JSON.stringify({ schema: "demo/1", data, error: null })}\n`);
  else {
    const isGuess = sessions.some((session) => session.pricedBy === "guess");
    terminal.out(
      [
        "",
        isGood ? bold("One flagged, two merged.") : bold("The demo did not end as it should."),
        `${sessions.length} agent sessions, ${dollars(usd, isGuess)} at list price. What the reviewer caught in ${rejected.name} is in its pull request's review.`,
        "",
        "Look closer:",
        `  ${command} inspect ${named(rejected.name)} --database ${database}`,
        `  ${command} explain ${named(vague.name)} --database ${database}`,
        `  ${command} ledger verify --database ${database}`,
        `  git -C ${clone} log --stat`,
        "",
      ].join("\n"),
    );
  }
  if (!isGood) process.exitCode = exitCodes.failed;
}
