/** What was asked of `forgehand review`, checked before anything is done. */
import { accessSync, constants, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { webUrlOf } from "../adapters/github/app.ts";
import { openPullAccess, type PullCredentials, type PullName } from "../adapters/github/pull-review.ts";
import { gitHubApiUrl, type Environment } from "../config-environment.ts";
import type { RepoConfig } from "../config.ts";
import { seatsOf, type PanelSeat } from "../config-panel.ts";
import type { Persona } from "../config-persona.ts";
import { nearest } from "../nearest.ts";
import type { Clock } from "../ports.ts";
import { exitCodes } from "../problems.ts";
import { families, type Builder } from "../review/pairing.ts";
import { Failure, oneLine } from "./output.ts";
import type { FailOn } from "./review-report.ts";
import { readPatch, type Wanted } from "./review-source.ts";
import { readPushed } from "./review-hook.ts";

export interface ReviewOptions {
  readonly diff?: string | undefined;
  readonly base?: string | undefined;
  readonly head?: string | undefined;
  readonly staged?: true | undefined;
  readonly worktree?: true | undefined;
  readonly pr?: string | undefined;
  readonly hook?: "pre-push" | undefined;
  readonly runtime?: string | undefined;
  readonly panel?: string | undefined;
  readonly builderFamily?: string | undefined;
  readonly format?: "text" | "json" | "sarif" | undefined;
  readonly output?: string | undefined;
  readonly post?: true | undefined;
  readonly strict?: true | undefined;
  readonly failOn?: FailOn | undefined;
  readonly budget?: string | undefined;
  readonly timeout?: string | undefined;
  readonly json?: true | undefined;
}
type Env = Readonly<Record<string, string | undefined>>;

const usage = (message: string): Failure => new Failure(exitCodes.usage, message);

/** Refuses what cannot be meant together. */
export function refuseContradictions(options: ReviewOptions): void {
  const given = (["diff", "pr", "staged", "worktree", "hook"] as const).filter(
    (name) => options[name] !== undefined,
  );
  const [first, second] = given;
  if (first !== undefined && second !== undefined)
    throw usage(`--${first} and --${second} each name a change: give one of them`);
  const lone = options.diff === undefined ? (options.pr === undefined ? undefined : "pr") : "diff";
  for (const name of ["base", "head"] as const)
    if (options[name] !== undefined && lone !== undefined)
      throw usage(`--${lone} already says what the change is: leave --${name} out`);
  if (options.head !== undefined && first !== undefined)
    throw usage(`--${first} already says what the change is: leave --head out`);
  if (options.base !== undefined && options.hook !== undefined)
    throw usage("--hook reads from git what is pushed: leave --base out");
  if (options.post !== undefined && options.pr === undefined)
    throw usage("--post needs a pull request to post to: forgehand review --pr OWNER/REPO#N --post");
  if (options.json !== undefined && options.format !== undefined && options.format !== "json")
    throw usage(`--json and --format ${options.format} differ: give one of them`);
}

/** Before anything is spent on what could not be kept. */
export function refuseUnwritable({ output }: ReviewOptions): void {
  if (output === undefined) return;
  try {
    accessSync(dirname(resolve(output)), constants.W_OK);
  } catch (cause) {
    throw unwritable(output, cause);
  }
}

export function unwritable(path: string, cause: unknown): Failure {
  const why = cause instanceof Error && "code" in cause ? String(cause.code) : "it is refused";
  return new Failure(
    exitCodes.usage,
    `--output: ${oneLine(path)} cannot be written (${why}). Name a file in a folder that exists`,
    { cause },
  );
}

/** The changes to review: one, or of a push one for each branch. */
export function wantedBy(
  options: ReviewOptions,
  access: (pull: PullName, host: string | undefined) => ReturnType<typeof openPullAccess>,
): readonly Wanted[] {
  if (options.hook !== undefined)
    return readPushed(readFileSync(0, "utf8")).map((pushed) => ({
      is: "commits",
      base: undefined,
      ...pushed,
    }));
  if (options.diff !== undefined) return [{ is: "patch", text: readPatch(options.diff), from: options.diff }];
  if (options.pr !== undefined) {
    const { pull, host } = pullNamed(options.pr);
    return [{ is: "pull", pull, access: access(pull, host) }];
  }
  if (options.staged === true || options.worktree === true)
    return [{ is: "uncommitted", what: options.staged === true ? "staged" : "worktree", base: options.base }];
  return [{ is: "commits", base: options.base, head: options.head ?? "HEAD" }];
}

function pullNamed(text: string): { readonly pull: PullName; readonly host: string | undefined } {
  const found =
    /^(?:https?:\/\/([^/]+)\/)?([\w.-]+)\/([\w.-]+)(?:#|\/pull\/)(\d{1,10})\/?$/u.exec(text) ?? [];
  const [, host, owner, repo, number] = found;
  if (owner === undefined || repo === undefined)
    throw usage(`--pr: "${oneLine(text)}" is no pull request. Write OWNER/REPO#N, such as acme/web#42`);
  return { pull: { owner, repo, number: Number(number) }, host };
}

/** The caller's own token, else the App. */
export function credentialsIn(environment: Pick<Environment, "github">, env: Env): PullCredentials {
  const token = [env["GH_TOKEN"], env["GITHUB_TOKEN"]].find((one) => one !== undefined && one.trim() !== "");
  if (token !== undefined) return { is: "token", token: token.trim() };
  const { github } = environment;
  if (github !== undefined) return { is: "app", appId: github.appId, privateKey: github.privateKey };
  throw new Failure(
    exitCodes.permission,
    "--pr needs a token that may read the pull request: export GH_TOKEN=$(gh auth token), or set FORGEHAND_APP_ID, FORGEHAND_PRIVATE_KEY_FILE and FORGEHAND_WEBHOOK_SECRET of an App that is installed there",
  );
}

/** A token goes to nobody but over TLS, or to this host. */
export function apiUrlIn({ apiUrl }: Pick<Environment, "apiUrl">, env: Env): string {
  const name = apiUrl === undefined ? "GITHUB_API_URL" : "FORGEHAND_GITHUB_API_URL";
  const text = apiUrl ?? env[name] ?? gitHubApiUrl;
  if (!URL.canParse(text)) throw usage(`${name} is no URL. Leave it out for GitHub.com`);
  const { protocol, hostname } = new URL(text);
  if (protocol !== "https:" && !/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/u.test(hostname))
    throw usage(`${name} must be an https:// URL, because a token is sent there`);
  return text.replace(/\/+$/u, "");
}

export function openAccess(
  environment: Environment,
  env: Env,
  clock: Pick<Clock, "now">,
  scrub: (text: string) => string,
): (pull: PullName, host: string | undefined) => ReturnType<typeof openPullAccess> {
  return (pull, host) => {
    const apiUrl = apiUrlIn(environment, env);
    const { host: here } = new URL(webUrlOf(apiUrl));
    // Another forge may have a repository of the same name.
    if (host !== undefined && host.toLowerCase().replace(/^www\./u, "") !== here)
      throw usage(
        `--pr: "${oneLine(host)}" is not asked, ${here} is. For GitHub Enterprise Server set FORGEHAND_GITHUB_API_URL=https://HOST/api/v3`,
      );
    return openPullAccess(pull, credentialsIn(environment, env), { apiUrl, clock, scrub });
  };
}

/** Nobody, unless it is said who built the change. */
export function buildersIn({ builderFamily }: ReviewOptions): readonly Builder[] {
  if (builderFamily === undefined || builderFamily === "any") return ["anybody"];
  const known = families.filter((family) => family !== "unknown");
  return builderFamily.split(",").map((name) => {
    const family = known.find((one) => one === name.trim().toLowerCase());
    if (family !== undefined) return family;
    throw usage(
      `--builder-family: "${oneLine(name)}" is no family of models; there is ${known.join(", ")}, or any`,
    );
  });
}

const mostSeats = 8;

/** The seats that `--panel` names; undefined when it was not given. */
export function panelIn(
  { panel }: ReviewOptions,
  personas: ReadonlyMap<string, Persona>,
): readonly PanelSeat[] | undefined {
  if (panel === undefined) return undefined;
  const names = panel.split(",").map((name) => name.trim());
  if (names.length > mostSeats) throw usage(`--panel: at most ${mostSeats} reviewers, each costs a review`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw usage(`--panel: "${oneLine(twice)}" is named twice`);
  const seats = seatsOf(names, personas);
  const wrong = seats.find(({ persona }) => !(personas.get(persona)?.roles.includes("review") ?? false));
  if (wrong === undefined) return seats;
  const known = ["general", "security", ...reviewersIn(personas)];
  const meant = nearest(wrong.name, known);
  throw usage(
    `--panel: no reviewer is called "${oneLine(wrong.name)}"${meant === undefined ? "" : `; did you mean ${meant}?`} There is ${known.join(", ")}; your own lie in .forgehand/personas/NAME.md`,
  );
}

/** Those that go by their own names. */
const reviewersIn = (personas: ReadonlyMap<string, Persona>): readonly string[] =>
  [...personas.values()]
    .filter(({ name, roles }) => roles.includes("review") && !/^(?:security-)?reviewer$/u.test(name))
    .map(({ name }) => name);

/** What may be spent, and for how long it may work. */
export function boundsIn(
  { budget, timeout }: ReviewOptions,
  { limits }: RepoConfig,
): { readonly usd: number; readonly timeoutMs: number } {
  return {
    usd: numberIn("--budget", budget, 1_000, "dollars, such as 2.50") ?? limits.run_usd,
    timeoutMs: (numberIn("--timeout", timeout, 24 * 60, "minutes, such as 20") ?? usualMinutes) * 60_000,
  };
}
const usualMinutes = 30;

function numberIn(option: string, text: string | undefined, most: number, what: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value > 0 && value <= most) return value;
  throw usage(`${option}: "${oneLine(text)}" is no number of ${what}, up to ${most}`);
}
