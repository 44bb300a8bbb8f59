import { readFileSync } from "node:fs";
import { styleText } from "node:util";
import { systemClock } from "../adapters/clock.ts";
import type { Environment, GitHubSettings } from "../config-environment.ts";
import { exitCodes, Problem } from "../problems.ts";
import { badly, worstOf, type Finding, type Group } from "./doctor-finding.ts";
import { oneLine, plain, table, terminal, type Answer } from "./output.ts";
import { ownEnvironment } from "./own-environment.ts";

interface DoctorOptions {
  readonly database?: string | undefined;
}

/** Looks at everything `up` needs and changes nothing. Each failure says what to type; the exit code is the worst one's. */
export async function doctor(options: DoctorOptions): Promise<Answer> {
  const { checkEnvironment } = await import("./doctor-environment.ts");
  const { environment: read, findings } = checkEnvironment(ownEnvironment(), (path) =>
    readFileSync(path, "utf8"),
  );
  const environment = options.database === undefined ? read : { ...read, database: options.database };
  const { checkLinear } = await import("./doctor-linear.ts");
  const [{ host, database }, forge, linear, runtimes] = await Promise.all([
    here(environment),
    environment.github === undefined ? [] : gitHub(environment.github),
    checkLinear(environment),
    runtimesOf(environment),
  ]);
  const groups: readonly Group[] = [
    { title: "Host", findings: host },
    { title: "Settings", findings },
    { title: "Database", findings: database },
    ...forge,
    ...linear,
    { title: "Runtimes", findings: runtimes },
  ];
  const exit = worstOf(groups);
  return {
    schema: "doctor/1",
    data: {
      healthy: exit === exitCodes.ok,
      checks: groups.flatMap(({ title, findings: found }) =>
        found.map(({ is, what, fix }) => ({ group: title, is, what: plain(what), fix: fix ?? null })),
      ),
    },
    text: terminal.isTty ? forPeople(groups) : forPipes(groups),
    exit,
  };
}

async function here(
  environment: Environment,
): Promise<{ readonly host: readonly Finding[]; readonly database: readonly Finding[] }> {
  const { checkHost, checkPort } = await import("./doctor-host.ts");
  const { checkDatabase } = await import("./doctor-database.ts");
  const { findings, isServed } = await checkDatabase(environment.database);
  // While one of ours serves, the port is rightly taken.
  const port = isServed ? [] : [await checkPort(environment)];
  return { host: [...(await checkHost(environment)), ...port], database: findings };
}

async function runtimesOf(environment: Environment): Promise<readonly Finding[]> {
  const { runtimeAgents } = await import("./agents.ts");
  const { checkRuntimes, checkFiles, checkTroubles } = await import("./doctor-runtimes.ts");
  const { checkSandboxes } = await import("./doctor-sandboxes.ts");
  const sandboxes = await checkSandboxes(environment, process.env);
  const beside = [...sandboxes, ...(await checkTroubles(environment.database)), ...checkFiles(environment)];
  // With a sandbox that this forgehand does not have, there is nowhere to ask a runtime from.
  if (!sandboxes.some(({ is }) => is === "ok")) return beside;
  try {
    return [...(await checkRuntimes(runtimeAgents(environment))), ...beside];
  } catch (error) {
    if (error instanceof Problem) return [badly(error), ...beside];
    throw error;
  }
}

async function gitHub(settings: GitHubSettings): Promise<readonly Group[]> {
  const { checkApp, checkReach, readManifest } = await import("./doctor-github.ts");
  const clock = systemClock();
  const reach = await checkReach(settings, clock, globalThis.fetch);
  if (!reach.isReached) return [{ title: "GitHub", findings: reach.findings }];
  const { openGitHub } = await import("../adapters/github/app.ts");
  const { githubHooks } = await import("../adapters/github/hooks.ts");
  const { redact } = await import("../secrets.ts");
  const github = openGitHub({
    ...settings,
    userAgent: "forgehand-doctor",
    clock,
    // Doctor writes nothing on GitHub, so there is nothing to remember.
    remember: { get: async () => undefined, set: async () => undefined },
    scrub: redact,
  });
  const app = await checkApp(github, settings, readManifest());
  const known = { title: "GitHub", findings: [...reach.findings, ...app.findings] };
  if (!app.isAccepted) return [known];
  const { checkRepos } = await import("./doctor-repos.ts");
  return [
    known,
    { title: "Repositories", findings: await checkRepos({ github, hooks: githubHooks(github), settings }) },
  ];
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
