import { readFileSync } from "node:fs";
import { styleText } from "node:util";
import { systemClock } from "../adapters/clock.ts";
import type { Environment, GitHubSettings } from "../config-environment.ts";
import type { Feed } from "../config-feed.ts";
import type { RepoConfig } from "../config.ts";
import { exitCodes, Problem } from "../problems.ts";
import { badly, worstOf, type Finding, type Group } from "./doctor-finding.ts";
import { Failure, oneLine, plain, table, terminal, type Answer } from "./output.ts";
import { ownSettingsFile, toldOrFault } from "./own-environment.ts";

export interface DoctorOptions {
  readonly database?: string | undefined;
  /** Lets each runtime do one small turn, which costs. */
  readonly deep?: true | undefined;
  readonly fix?: true | undefined;
  /** Of `fix`: tells what it would do. */
  readonly dryRun?: true | undefined;
}

/**
 * Looks at everything `up` needs. Each failure says what to type; the exit code is the worst one's. With `fix` it does of
 * that what is safe and ours; without, it changes nothing.
 */
export async function doctor(options: DoctorOptions): Promise<Answer> {
  if (options.dryRun === true && options.fix !== true)
    throw new Failure(exitCodes.usage, "--dry-run goes with --fix: without it nothing is changed anyway");
  const how = options.fix === true ? (options.dryRun === true ? "tell" : "mend") : "look";
  const { mended } = await import("./doctor-mend.ts");
  const groups = await mended(await look(options), how);
  const exit = worstOf(groups);
  return {
    schema: "doctor/1",
    data: {
      healthy: exit === exitCodes.ok,
      checks: groups.flatMap(({ title, findings: found }) =>
        found.map(({ is, what, fix, mend }) => ({
          group: title,
          is,
          what: plain(what),
          fix: fix ?? null,
          mendable: mend !== undefined,
        })),
      ),
    },
    text: terminal.isTty ? forPeople(groups) : forPipes(groups),
    exit,
    ...(how === "look" && groups.some(({ findings }) => findings.some(({ mend }) => mend !== undefined))
      ? { hint: "`forgehand doctor --fix` mends some of this by itself; `--fix --dry-run` tells what" }
      : {}),
  };
}

async function look(options: DoctorOptions): Promise<readonly Group[]> {
  const { checkEnvironment, checkSettingsFile } = await import("./doctor-environment.ts");
  const told = toldOrFault();
  const { environment: read, findings } = checkEnvironment(told.env, (path) => readFileSync(path, "utf8"));
  const environment = options.database === undefined ? read : { ...read, database: options.database };
  const { checkLinear } = await import("./doctor-linear.ts");
  const [{ host, database, leftovers }, forge, linear, runtimes] = await Promise.all([
    here(environment),
    environment.github === undefined
      ? { groups: [], configs: [] }
      : gitHub({ ...environment.github, feed: environment.feed }, environment.extendsFrom),
    checkLinear(environment),
    runtimesOf(environment, options.deep === true ? "deep" : "shallow"),
  ]);
  const { checkPrices } = await import("./doctor-prices.ts");
  const { checkNotify } = await import("./doctor-notify.ts");
  const { checkAccess } = await import("./doctor-access.ts");
  const settings = checkSettingsFile(ownSettingsFile());
  // An open file is told of by its mode, with what mends it.
  const faults =
    told.fault === undefined || told.fault.code === "settings-file-open" ? [] : [badly(told.fault)];
  return [
    { title: "Host", findings: host },
    // A file that cannot be used comes first: what seems to be missing may stand in it.
    {
      title: "Settings",
      findings: told.fault === undefined ? [...findings, ...settings] : [...faults, ...settings, ...findings],
    },
    { title: "Database", findings: database },
    { title: "Leftovers", findings: leftovers },
    ...forge.groups,
    ...linear,
    { title: "Runtimes", findings: runtimes },
    { title: "Prices", findings: checkPrices(environment, forge.configs, systemClock().now()) },
    { title: "Notifications", findings: await checkNotify(environment) },
    { title: "Dashboard", findings: checkAccess(environment) },
  ];
}

async function here(environment: Environment): Promise<{
  readonly host: readonly Finding[];
  readonly database: readonly Finding[];
  readonly leftovers: readonly Finding[];
}> {
  const { checkHost, checkPort } = await import("./doctor-host.ts");
  const { checkDatabase } = await import("./doctor-database.ts");
  const { checkLeftovers } = await import("./doctor-leftovers.ts");
  const { findings, isServed } = await checkDatabase(environment.database, environment.dataDir);
  // While one of ours serves, the port is rightly taken.
  const port = isServed ? [] : [await checkPort(environment)];
  return {
    host: [...(await checkHost(environment)), ...port],
    database: findings,
    leftovers: checkLeftovers(environment, isServed ? "served" : "unserved"),
  };
}

async function runtimesOf(environment: Environment, how: "deep" | "shallow"): Promise<readonly Finding[]> {
  const { runtimeAgents } = await import("./agents.ts");
  const { checkRuntimes, checkFiles, checkTroubles } = await import("./doctor-runtimes.ts");
  const { checkSandboxes } = await import("./doctor-sandboxes.ts");
  const sandboxes = await checkSandboxes(environment, process.env);
  const beside = [...sandboxes, ...(await checkTroubles(environment.database)), ...checkFiles(environment)];
  // With a sandbox that this forgehand does not have, there is nowhere to ask a runtime from.
  if (!sandboxes.some(({ is }) => is === "ok")) return beside;
  try {
    const agents = runtimeAgents(environment);
    const turns =
      how === "deep" ? await (await import("./doctor-deep.ts")).checkTurns(agents, systemClock().now) : [];
    return [...(await checkRuntimes(agents)), ...turns, ...beside];
  } catch (error) {
    if (error instanceof Problem) return [badly(error), ...beside];
    throw error;
  }
}

async function gitHub(
  settings: GitHubSettings & { readonly feed?: Feed | undefined },
  extendsFrom: readonly string[] | undefined,
): Promise<{ readonly groups: readonly Group[]; readonly configs: readonly RepoConfig[] }> {
  const { checkApp, checkReach, readManifest } = await import("./doctor-github.ts");
  const clock = systemClock();
  const reach = await checkReach(settings, clock, globalThis.fetch);
  if (!reach.isReached) return { groups: [{ title: "GitHub", findings: reach.findings }], configs: [] };
  const { openGitHub } = await import("../adapters/github/app.ts");
  const { githubHooks } = await import("../adapters/github/hooks.ts");
  const { redact } = await import("../secrets.ts");
  const github = openGitHub({
    ...settings,
    userAgent: "forgehand-doctor",
    clock,
    // The labels it may create are looked for first, so there is nothing to remember.
    remember: { get: async () => undefined, set: async () => undefined },
    scrub: redact,
  });
  const app = await checkApp(github, settings, readManifest(), clock.now());
  const known = { title: "GitHub", findings: [...reach.findings, ...app.findings] };
  if (!app.isAccepted) return { groups: [known], configs: [] };
  const { checkRepos } = await import("./doctor-repos.ts");
  const { findings, configs } = await checkRepos({
    github,
    hooks: githubHooks(github),
    settings,
    extendsFrom,
  });
  return { groups: [known, { title: "Repositories", findings }], configs };
}

const marks = { ok: "✓", warn: "!", fail: "✗" } as const;
const colours = { ok: "green", warn: "yellow", fail: "red" } as const;

function forPeople(groups: readonly Group[]): string {
  const width = Math.max(...groups.map(({ title }) => title.length)) + 1;
  const margin = " ".repeat(width + 2);
  const lines = groups.flatMap(({ title, findings }) =>
    findings.flatMap(({ is, what, fix }, index) => [
      `${(index === 0 ? title : "").padEnd(width)}${styleText(colours[is], marks[is])} ${oneLine(what)}`,
      ...(fix === undefined ? [] : plain(fix).split("\n")).map((line) => `${margin}→ ${line}`),
    ]),
  );
  return [...lines, "", verdict(groups)].join("\n");
}

function verdict(groups: readonly Group[]): string {
  const count = (is: Finding["is"]): number =>
    groups.flatMap(({ findings }) => findings).filter((finding) => finding.is === is).length;
  const [failures, warnings] = [count("fail"), count("warn")];
  if (failures === 0)
    return `Everything needed is there${warnings === 0 ? "" : `; ${warnings} worth a look`}.`;
  return `${failures} to put right${warnings === 0 ? "" : `, ${warnings} worth a look`}.`;
}

function forPipes(groups: readonly Group[]): string {
  const rows = groups.flatMap(({ title, findings }) =>
    findings.map(({ is, what, fix }) => [title, is, what, (fix ?? "").replaceAll("\n", "; ")]),
  );
  return table(["GROUP", "IS", "WHAT", "FIX"], rows, false);
}
