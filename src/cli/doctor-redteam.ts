import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { readEnvironment, type Environment } from "../config-environment.ts";
import { configPath } from "../config.ts";
import { placesOf } from "../places.ts";
import { exitCodes, type ExitCode } from "../problems.ts";
import type { Outcome } from "../redteam/attack.ts";
import type { Ground } from "../redteam/ground.ts";
import { rowsOf, weaknesses } from "../redteam/report.ts";
import { Failure, plain, table, terminal, type Answer } from "./output.ts";
import { ownEnvironment } from "./own-environment.ts";

export interface RedteamCommand {
  /** A checkout whose configuration is put to the test. */
  readonly repo?: string | undefined;
  /** Only what needs no agent. */
  readonly quick?: true | undefined;
  /** Set by the outer process: the file that says what the inner one is to play. */
  readonly inside?: string | undefined;
}

/** Longer than all plays may take together. */
const limitMs = 10 * 60_000;
/** What of the operator's settings decides where agents run; nothing that is secret. */
const chosen =
  /^FORGEHAND_(?:SANDBOX(?:_\w+)?|COMMAND_NETWORK|AGENT_(?:MEMORY_MB|PROCESSES|DISK_MB|CPUS)|DOCKER_RUNTIME|KUBERNETES_\w+|SSH_(?:HOSTS|CONFIG)|CONCURRENCY)$/u;
const plainNames = /^(?:PATH|LANG|LC_\w+|TMPDIR|NODE_COMPILE_CACHE)$/u;
/** What clients of other hosts need to reach them. */
const clientNames = /^(?:HOME|SSH_AUTH_SOCK|DOCKER_\w+|KUBECONFIG|XDG_RUNTIME_DIR)$/u;

/**
 * Plays the corpus in a process of its own that holds none of the operator's secrets, only ones that open nothing: what gets
 * out of it can harm nobody. Ends with 1 when a promise is broken, with 10 when all hold but the configuration lets
 * something out.
 */
export async function doctorRedteam(command: RedteamCommand): Promise<Answer> {
  if (command.inside !== undefined) return inside(command.inside);
  const told = ownEnvironment();
  const environment = readEnvironment(told, (path) => readFileSync(path, "utf8"));
  const text = configOf(command.repo);
  const { playedRules } = await import("../redteam/repository-rules.ts");
  const played = playedRules(text.text);
  if ("problems" in played)
    throw new Failure(
      exitCodes.usage,
      `${text.path ?? configPath}:${played.problems.map(({ line, column, message }) => `${line}:${column}: ${message}`).join("\n")}\nCorrect it first: what nobody can read demands nothing.`,
    );
  await usable(environment);
  const folder = throwAway();
  try {
    const { layGround } = await import("../redteam/ground.ts");
    const ground = layGround(folder);
    const order = join(folder, "order.json");
    const only = command.quick === true ? { only: [] } : {};
    writeFileSync(order, JSON.stringify({ ground, config: played.config, ...only }), { mode: 0o600 });
    const outcomes = await playInside(order, lentInside(told, environment, ground), ground);
    return reported(outcomes, {
      sandbox: sandboxText(environment),
      config: text.path ?? null,
      setAside: played.setAside,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The file of this checkout, or of the current folder; none is fine where nobody named one. */
function configOf(repo: string | undefined): { readonly path?: string; readonly text: string | undefined } {
  const folder = resolve(repo ?? ".");
  const path = [configPath, ".forgehand.yml"]
    .map((name) => join(folder, name))
    .find((one) => existsSync(one));
  if (path !== undefined) return { path, text: readFileSync(path, "utf8") };
  if (repo !== undefined && !existsSync(folder))
    throw new Failure(
      exitCodes.notFound,
      `there is no folder ${folder}; name a checkout: forgehand doctor --redteam --repo PATH`,
    );
  return { text: undefined };
}

/** A sandbox that does not work protects from nothing, and nothing could be played in it. */
async function usable(environment: Environment): Promise<void> {
  const { checkSandboxes } = await import("./doctor-sandboxes.ts");
  const wrong = (await checkSandboxes(environment, process.env)).find(({ is }) => is !== "ok");
  if (wrong !== undefined)
    throw new Failure(exitCodes.usage, `${wrong.what}: ${wrong.fix ?? "forgehand doctor"}`);
}

/** Where an operator's own things lie, so that it is hidden, or not, as they are. */
function throwAway(): string {
  const { state } = placesOf(process.env, process.env["HOME"] ?? homedir());
  try {
    mkdirSync(state, { recursive: true, mode: 0o700 });
    return mkdtempSync(join(state, "redteam-"));
  } catch {
    return mkdtempSync(join(tmpdir(), "forgehand-redteam-"));
  }
}

const sandboxText = ({ sandbox }: Environment): string =>
  [
    sandbox?.usual ?? "local",
    ...Object.entries(sandbox?.byRuntime ?? {}).map(([name, one]) => `${name}=${one}`),
  ].join(",");

const Inside = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      field: z.string(),
      how: z.string(),
      is: z.enum(["held", "weak", "broken"]),
      why: z.string().optional(),
      fix: z.string().optional(),
      reached: z.literal(true).optional(),
    }),
  ),
});

type Env = Readonly<Record<string, string | undefined>>;

/** All that the process that plays is told: planted secrets, and of the operator's settings, from wherever, where agents run. */
export function lentInside(
  told: Env,
  { sandbox }: Pick<Environment, "sandbox">,
  ground: Pick<Ground, "home" | "env">,
): Env {
  const isElsewhere = [sandbox?.usual, ...Object.values(sandbox?.byRuntime ?? {})].some((one) =>
    ["docker", "kubernetes", "ssh"].includes(one ?? ""),
  );
  const kept = Object.entries(told).filter(
    ([name]) => chosen.test(name) || plainNames.test(name) || (isElsewhere && clientNames.test(name)),
  );
  return { HOME: ground.home, ...Object.fromEntries(kept), ...ground.env };
}

async function playInside(order: string, env: Env, { folder }: Ground): Promise<readonly Outcome[]> {
  const child = spawn(
    process.execPath,
    [...process.execArgv, process.argv[1] ?? "", "doctor", "--redteam", "--inside", order, "--json"],
    { cwd: folder, env: { ...env }, stdio: ["ignore", "pipe", "pipe"], timeout: limitMs },
  );
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (out += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    err = `${err}${chunk}`.slice(-4000);
    terminal.err(plain(chunk));
  });
  const code = await new Promise<number | null>((settle, reject) => {
    child.once("error", reject);
    child.once("close", settle);
  });
  const read = Inside.safeParse(tryJson(out));
  if (read.success && code === 0)
    return read.data.data.map(({ why, fix, reached, ...rest }) => ({
      ...rest,
      why,
      fix,
      ...(reached === undefined ? {} : { reached }),
    }));
  throw new Failure(
    exitCodes.failed,
    `the attacks could not be played to the end (${code ?? "stopped"}): ${plain(err).trim() || out.slice(0, 500)}; \`forgehand doctor\` says what is wrong here`,
  );
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const Order = z.object({
  ground: z.custom<Ground>((value) => typeof value === "object"),
  config: z.string(),
  only: z.array(z.enum(["words", "heads", "betrayal"])).optional(),
});

/** The process that plays: everything in its environment is planted, and no file of settings is read, whosever home it has. */
async function inside(order: string): Promise<Answer> {
  const { ground, config, only } = Order.parse(JSON.parse(readFileSync(order, "utf8")));
  const { redteam } = await import("../redteam/redteam.ts");
  const { readConfig } = await import("../config-file.ts");
  const outcomes = await redteam({
    ground,
    config,
    only,
    rules: readConfig(config).config,
    environment: readEnvironment(process.env, (path) => readFileSync(path, "utf8")),
    pid: process.pid,
    tell: (line) => terminal.err(`${line}\n`),
  });
  return { schema: "redteam-inside/1", data: outcomes, text: "" };
}

interface Configuration {
  readonly sandbox: string;
  readonly config: string | null;
  readonly setAside: readonly string[];
}

function reported(outcomes: readonly Outcome[], configuration: Configuration): Answer {
  const broken = outcomes.filter(({ is }) => is === "broken");
  const weak = weaknesses(outcomes);
  const exit: ExitCode =
    broken.length > 0 ? exitCodes.failed : weak.length > 0 ? exitCodes.notMet : exitCodes.ok;
  return {
    schema: "redteam/1",
    data: {
      holds: broken.length === 0,
      configuration,
      weaknesses: weak,
      attacks: outcomes.map(({ why, fix, reached, ...rest }) => ({
        ...rest,
        reached: reached === true,
        why: why ?? null,
        fix: fix ?? null,
      })),
    },
    text: forReaders(outcomes, configuration),
    exit,
  };
}

function forReaders(outcomes: readonly Outcome[], { sandbox, config, setAside }: Configuration): string {
  const broken = outcomes.filter(({ is }) => is === "broken");
  const weak = weaknesses(outcomes);
  const rows = rowsOf(outcomes).map((row) => [
    row.field,
    ...[row.attacks, row.reached, row.held, row.weak, row.broken].map(String),
  ]);
  return [
    `sandbox ${sandbox}; ${config ?? `no ${configPath}, so the defaults hold`}${setAside.length === 0 ? "" : `, without ${setAside.join(", ")}`}`,
    table(["PLANTED IN", "ATTACKS", "OBEYED", "HELD", "ALLOWED", "BROKEN"], rows, terminal.isTty),
    "",
    ...broken.flatMap(({ id, why }) => [`✗ ${id}: ${plain(why ?? "")}`]),
    ...weak.flatMap(({ fix, count, examples }) => [
      `! ${count} attacks succeed because the configuration lets them, such as:`,
      ...examples.map((one) => `    ${plain(one)}`),
      `  → ${fix}`,
    ]),
    broken.length > 0
      ? `${broken.length} of ${outcomes.length} attacks broke a promise of forgehand's.`
      : weak.length > 0
        ? `Every promise held in ${outcomes.length} attacks; what is marked is open by the operator's own choice.`
        : outcomes.some(({ reached }) => reached === true)
          ? `Every promise held in ${outcomes.length} attacks, and the configuration lets nothing out.`
          : `Every promise held in ${outcomes.length} attacks on words; without \`--quick\` agents are attacked as well.`,
  ].join("\n");
}
