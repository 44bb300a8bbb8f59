/** `forgehand review`: a change of any repository before reviewers who had no part in it. */
import { renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileIn, markdownIn, yardBranches } from "../adapters/git/change.ts";
import type { PullAccess } from "../adapters/github/pull-review.ts";
import { systemClock } from "../adapters/clock.ts";
import { openHousing } from "../adapters/sandboxes/quarters.ts";
import { type Environment } from "../config-environment.ts";
import { secretValues } from "../config-secrets.ts";
import { layersOf, mergeLayers } from "../config-layers.ts";
import { findRules, unseenRepo } from "../config-sources.ts";
import { toldAt, type RepoConfig } from "../config.ts";
import { seatsOf } from "../config-panel.ts";
import { personaFolder, personasOf, type Persona } from "../config-persona.ts";
import { nearest } from "../nearest.ts";
import { Trouble } from "../ports.ts";
import type { Agent } from "../ports-agents.ts";
import { exitCodes, type ExitCode } from "../problems.ts";
import { changeReview, listedFindings, outdatedReview } from "../says-change-review.ts";
import { findingText } from "../says-review.ts";
import type { FindingView } from "../says.ts";
import { redactKnown } from "../secrets.ts";
import { ownSettings } from "./own-settings.ts";
import { agentsFileIn, runtimeAgents } from "./agents.ts";
import { envelope, Failure, oneLine, plain, terminal, type Answer } from "./output.ts";
import { ownPrices } from "./prices.ts";
import { reviewChange } from "./review-change.ts";
import {
  boundsIn,
  buildersIn,
  openAccess,
  panelIn,
  refuseContradictions,
  refuseUnwritable,
  unwritable,
  wantedBy,
  type ReviewOptions,
} from "./review-options.ts";
import {
  countLine,
  gateFindings,
  reportOf,
  reportText,
  type ReportedFinding,
  type ReviewReport,
} from "./review-report.ts";
import { sarifOf } from "./review-sarif.ts";
import { openSource, type Source, type Wanted } from "./review-source.ts";
import { makeReviewState, removeReviewState } from "./review-state.ts";
import { hearInterrupt } from "./workflow-desk.ts";
import { actors } from "./workflow-machine.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Everything one call works with. */
interface Desk {
  readonly options: ReviewOptions;
  readonly env: Env;
  readonly environment: Environment;
  readonly searchPath: string;
  readonly stateDir: string;
  readonly redact: (text: string) => string;
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Reviews what was asked for and answers with the report. Throws a `Failure` for whatever the caller can put right. */
export async function reviewCommand(
  options: ReviewOptions,
  version: string,
  env: Env = process.env,
): Promise<Answer> {
  refuseContradictions(options);
  refuseUnwritable(options);
  const environment = ownSettings(env);
  const redact = redactKnown(secretValues(environment, env, new Map()));
  const wanted = wantedBy(options, openAccess(environment, env, systemClock(), redact));
  const stateDir = makeReviewState(env);
  const heard = hearInterrupt();
  const interrupt = new AbortController();
  void heard.interrupt.then(() => interrupt.abort());
  const desk: Desk = {
    options,
    env,
    environment,
    searchPath: env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    stateDir,
    redact,
    tell: (line) => terminal.err(`${oneLine(redact(line))}\n`),
    signal: interrupt.signal,
  };
  try {
    const reports: ReviewReport[] = [];
    for (const [index, one] of wanted.entries()) {
      const report = await reviewOne(desk, one, join(stateDir, String(index)));
      if (report !== undefined) reports.push(report);
    }
    return answerOf(desk, reports, version);
  } catch (error) {
    throw interrupt.signal.aborted
      ? new Failure(exitCodes.cancelled, "the review was interrupted")
      : failureOf(error, redact);
  } finally {
    heard.stop();
    removeReviewState(stateDir);
  }
}

/** Undefined is a change that changes nothing. */
async function reviewOne(desk: Desk, wanted: Wanted, stateDir: string): Promise<ReviewReport | undefined> {
  const { options, env, searchPath, tell, signal, environment } = desk;
  const source = await openSource(wanted, {
    folder: process.cwd(),
    yardDir: join(stateDir, "yard"),
    env,
    searchPath,
  });
  if ("empty" in source) {
    tell(`${source.empty}: nothing changes, so there is nothing to review`);
    return undefined;
  }
  const rules = await rulesOf(source, tell);
  const config: RepoConfig = {
    ...rules.config,
    review: { ...rules.config.review, strict: options.strict ?? rules.config.review.strict },
  };
  const panel = panelIn(options, rules.personas) ?? seatsOf(config.review.panel, rules.personas);
  const { usd, timeoutMs } = boundsIn(options, config);
  const housed = { ...environment, dataDir: stateDir };
  const agents = await agentsHere(desk, housed);
  const clock = systemClock();
  const reviewed = await reviewChange(
    {
      name: source.name,
      title: source.title,
      body: source.body,
      url: source.yard.dir,
      base: source.sealed.base,
      head: source.sealed.head,
      branch: yardBranches.base,
      config,
      personas: rules.personas,
      houseRules: rules.houseRules,
      panel,
      runtime: options.runtime,
      builders: buildersIn(options),
      agents,
      prices: ownPrices(isSettled(env) ? environment : { ...environment, dataDir: stateDir }),
      usd,
    },
    { stateDir, clock, searchPath, premises: openHousing(housed, env).commands, timeoutMs, signal, tell },
  );
  const pull = wanted.is === "pull" ? source.name : null;
  const about = { change: source.name, base: source.base, head: source.head, pull };
  const { protected: protectedPaths } = config.paths;
  const largest = { files: config.review.max_files, lines: config.review.max_lines };
  const attributes = await fileIn(source.yard, source.trees.base, ".gitattributes");
  const gates = await gateFindings(reviewed.diff, { protectedPaths, largest, attributes });
  const failOn = options.failOn ?? "blocker";
  const report = clean(reportOf(reviewed, about, { gates, failOn }), desk.redact);
  return wanted.is === "pull" && options.post === true ? await posted(desk, report, wanted.access) : report;
}

/** What was found and paid for is told also where it cannot be posted. */
async function posted(desk: Desk, report: ReviewReport, access: PullAccess): Promise<ReviewReport> {
  try {
    return { ...report, posted: await access.post(reviewToPost(report)) };
  } catch (error) {
    const failure = failureOf(error, desk.redact);
    if (!(failure instanceof Failure)) throw error;
    desk.tell(`the review could not be posted: ${failure.message}`);
    return { ...report, exit: report.exit === exitCodes.ok ? failure.exit : report.exit };
  }
}

/** The rules of the side that the change is made to: nobody changes the rules of their own review. */
async function rulesOf(
  { yard, trees }: Source,
  tell: Desk["tell"],
): Promise<{
  readonly config: RepoConfig;
  readonly personas: ReadonlyMap<string, Persona>;
  readonly houseRules: string | undefined;
}> {
  // A checkout alone: what it rests upon in other repositories nobody can read here.
  const reader = {
    file: async (_: unknown, path: string) => ({
      text: await fileIn(yard, trees.base, path),
      at: trees.base,
    }),
    repoNamed: async () => "unseen" as const,
    extendsFrom: [],
  };
  const found = await findRules(reader, unseenRepo, trees.base);
  const { config, faults: wrong } = mergeLayers(layersOf(found.config, found.sources));
  const read = personasOf(await markdownIn(yard, trees.base, personaFolder), config.runtime.personas);
  for (const fault of [...found.sources.faults, ...wrong, ...read.problems])
    tell(`${toldAt(fault)} The default holds.`);
  const known = config.runtime.personas.review.filter((name) => read.named.has(name));
  return {
    config: {
      ...config,
      runtime: { ...config.runtime, personas: { ...config.runtime.personas, review: known } },
    },
    personas: read.named,
    houseRules: await fileIn(yard, trees.base, "AGENTS.md"),
  };
}

/**
 * The usual data folder is below the current one, which here is the repository under review: nothing in it may say which
 * programs are run, or what they cost.
 */
const isSettled = (env: Env): boolean =>
  env["FORGEHAND_DATA_DIR"] !== undefined || env["FORGEHAND_DATA_DIR_FILE"] !== undefined;

/** Those of the configured agents that are installed; the one that was asked for, where one was. */
async function agentsHere(desk: Desk, housed: Environment): Promise<ReadonlyMap<string, Agent>> {
  const { env, environment, options, searchPath } = desk;
  // What agents keep lies with this review; which there are, the operator says in one place.
  const agents = environment.agents ?? (isSettled(env) ? agentsFileIn(environment.dataDir) : undefined);
  const real = runtimeAgents({ ...housed, agents }, env);
  const all = environment.scenes === undefined ? real : actors(resolve(environment.scenes), real, searchPath);
  const { runtime } = options;
  if (runtime !== undefined && !all.has(runtime)) {
    const meant = nearest(runtime, [...all.keys()]);
    throw new Failure(
      exitCodes.usage,
      `--runtime: no runtime is called "${oneLine(runtime)}"${meant === undefined ? "" : `; did you mean ${meant}?`} There is ${[...all.keys()].join(", ")}; further ones are listed in agents.yml (docs/agents.md)`,
    );
  }
  const asked = [...all].filter(([name]) => runtime === undefined || name === runtime);
  const probed = await Promise.all(
    asked.map(async ([name, agent]) => ({ name, agent, probe: await agent.probe() })),
  );
  const here = probed.filter(({ probe }) => probe.found);
  if (here.length > 0) return new Map(here.map(({ name, agent }) => [name, agent]));
  const why = probed.map(({ name, probe }) => `${name}: ${probe.why ?? "it is not installed"}`).join("; ");
  throw new Failure(
    exitCodes.usage,
    `there is no agent to review with. ${why}. Install and log in one of them, then look with \`forgehand doctor\``,
  );
}

/** Without what must not be told, wherever agents or names brought it in. */
const clean = (report: ReviewReport, redact: (text: string) => string): ReviewReport => ({
  ...report,
  summary: redact(report.summary),
  findings: report.findings.map((one) => ({ ...one, title: redact(one.title), body: redact(one.body) })),
});

const viewOf = ({ grade, title, body, path, line }: ReportedFinding): FindingView => ({
  grade,
  title,
  body,
  path: path ?? undefined,
  line: line ?? undefined,
});

/** The report as a review on the pull request. */
function reviewToPost(report: ReviewReport) {
  const { findings, head, verdict, summary, models, families } = report;
  const reviewers = findings.filter(({ source }) => source === "reviewer");
  return {
    head,
    body: changeReview({
      verdict,
      head,
      reviewer: models.length === 0 ? families.reviewer : models.join(", "),
      summary,
      count: countLine(report),
      findings: reviewers.filter(({ path, line }) => path === null || line === null).map(viewOf),
      gates: findings.filter(({ source }) => source === "gate").map(({ body }) => body),
    }),
    findings: reviewers.flatMap((one) =>
      one.path === null || one.line === null
        ? []
        : [{ path: one.path, line: one.line, body: findingText(viewOf(one)) }],
    ),
    listed: listedFindings,
    outdated: outdatedReview(head),
  };
}

function answerOf({ options, tell }: Desk, reports: readonly ReviewReport[], version: string): Answer {
  const format = options.json === true ? "json" : (options.format ?? "text");
  const [only, ...others] = reports;
  // A push may hold several branches; the worst of them counts.
  const exit = reports.map((report) => report.exit).toSorted((one, two) => two - one)[0] ?? exitCodes.ok;
  const data = others.length === 0 ? (only ?? nothing) : { exit, reports };
  const text = {
    text: () => plain(reports.map(reportText).join("\n\n")),
    json: () => envelope("review/1", data),
    sarif: () => `${JSON.stringify(sarifTogether(reports, version), undefined, 2)}\n`,
  };
  if (options.output === undefined) return { schema: "review/1", data, text: text[format](), exit };
  write(options.output, text[format]());
  tell(`written: ${options.output}`);
  return { schema: "review/1", data, text: text.text(), exit };
}

const nothing = { verdict: "pass", exit: 0 as ExitCode, summary: "nothing changes", findings: [] };

function sarifTogether(reports: readonly ReviewReport[], version: string): object {
  const [first = emptyReport, ...others] = reports;
  const whole = sarifOf(first, version) as { readonly runs: readonly object[] };
  const more = others.flatMap((one) => (sarifOf(one, version) as { readonly runs: readonly object[] }).runs);
  return { ...whole, runs: [...whole.runs, ...more] };
}
const emptyReport: ReviewReport = {
  verdict: "pass",
  exit: exitCodes.ok,
  summary: "nothing changes",
  change: "",
  base: "",
  head: "",
  pull: null,
  families: { builder: "unknown", reviewer: "unknown" },
  models: [],
  findings: [],
  usd: 0,
  posted: null,
};

/** Whole or not at all: whoever uploads it must not find half. */
function write(path: string, text: string): void {
  const half = `${path}.${process.pid}.tmp`;
  try {
    // A link of this name would lead elsewhere.
    writeFileSync(half, text, { flag: "wx" });
    renameSync(half, path);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

const exitsByCode: readonly (readonly [RegExp, ExitCode])[] = [
  [/auth|forbidden|not-installed|owner/u, exitCodes.permission],
  [/no-pull|missing-repo|not-found/u, exitCodes.notFound],
  [/unavailable|rate-limited|network|moving/u, exitCodes.remote],
  [/missing|bare|unmerged|too-large/u, exitCodes.usage],
];

/** Trouble with the world in the words of the command line. */
function failureOf(error: unknown, redact: (text: string) => string): unknown {
  if (!(error instanceof Trouble)) return error;
  // Whatever else kept it from being reviewed: a change that must be mended is told by another code.
  const exit = exitsByCode.find(([pattern]) => pattern.test(error.code))?.[1] ?? exitCodes.blocked;
  return new Failure(exit, redact(error.message), { cause: error });
}
