/** What a run did, in one paragraph made of what is on record. Pure; words of agents are quoted, cut and cleaned. */
import { redact } from "./secrets.ts";
import { age, dollars } from "./says.ts";
import { clean } from "./untrusted.ts";

/** Everything a summary may mention. */
export interface Story {
  readonly workflow: string;
  readonly ended: "finished" | "failed" | "cancelled";
  readonly tookMs: number;
  /** What came of it, in plain words. */
  readonly end: string | undefined;
  readonly sessions: readonly { readonly role: string | undefined; readonly by: string }[];
  /** Each use of a tool, as a transcript tells it: its name, then what it was used for. */
  readonly tools: readonly string[];
  /** Where the agents worked: paths are told from there. */
  readonly folder: string | undefined;
  /** The repository's own checks as the host ran them, oldest first. */
  readonly checks: readonly ("green" | "red")[];
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly usd: number | undefined;
  readonly usdIsGuess: boolean;
}

/** Names that are told before "and N more". */
const mostNamed = 4;
const longestEnd = 300;
const longestSummary = 1_000;

/** The summary as the record alone tells it: the same record gives the same words. */
export function summaryOf(story: Story): string {
  const { workflow, ended, tookMs, end, inputTokens, outputTokens, usd } = story;
  const verb = { finished: "ended", failed: "failed", cancelled: "was stopped" }[ended];
  const outcome = end === undefined ? "" : `: ${cutTo(onOneLine(end).replace(/\.$/u, ""), longestEnd)}`;
  const cost = usd === undefined ? "" : ` and ${dollars(usd, story.usdIsGuess)}`;
  const sentences = [
    `The ${workflow} run ${verb} after ${age(tookMs)}${outcome}`,
    workersOf(story),
    toolsOf(story),
    filesOf(story),
    testsOf(story),
    inputTokens + outputTokens === 0
      ? undefined
      : `It took ${inputTokens} tokens in, ${outputTokens} out${cost}`,
  ];
  return sentences.flatMap((one) => (one === undefined ? [] : `${one}.`)).join(" ");
}

/** Somebody else's summary as we keep it: one paragraph, nothing hidden, no secret, not too long. Empty when it says nothing. */
export const keptSummary = (text: string): string => cutTo(onOneLine(text), longestSummary);

const onOneLine = (text: string): string => clean(redact(text)).replaceAll(/\s+/gu, " ").trim();
const cutTo = (text: string, limit: number): string =>
  text.length > limit ? `${text.slice(0, limit - 1)}…` : text;

function workersOf({ sessions }: Story): string | undefined {
  const counts = counted(sessions.map(({ role, by }) => (role === undefined ? by : `${role} by ${by}`)));
  if (counts.length === 0) return "No agent worked in it";
  const told = counts.map(([who, times]) => `${who}${times === 1 ? "" : `, ${times} sessions`}`);
  return `Agents: ${told.join("; ")}`;
}

function toolsOf({ tools }: Story): string | undefined {
  if (tools.length === 0) return undefined;
  const names = counted(tools.map((tool) => /^\S{1,40}/u.exec(tool)?.[0] ?? "?"));
  const told = listed(names.map(([name, times]) => `${onOneLine(name)} ${times}`));
  return `${tools.length} tool call${tools.length === 1 ? "" : "s"} (${told})`;
}

const writes =
  /^(?:edit|write|multiedit|notebookedit|patch|apply_patch|create|str_replace\w{0,20}|update)\s+(\S.*)$/iu;

function filesOf({ tools, folder }: Story): string | undefined {
  const paths = tools.flatMap((tool) => writes.exec(tool)?.[1]?.split(", ") ?? []);
  const within = paths.map((path) =>
    folder !== undefined && path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path,
  );
  const files = counted(within.map(onOneLine)).map(([path]) => cutTo(path, 100));
  return files.length === 0 ? undefined : `It wrote ${listed(files)}`;
}

const shells = /^(?:bash|shell|run|exec_command|execute|command)\s+(\S.*)$/iu;
const looksLikeTests =
  /\b(?:tests?|vitest|jest|pytest|mocha|phpunit|rspec|junit|gradlew? check|tox|ctest)\b/iu;

/** What the host checked, and what the agents ran that looks like tests. */
function testsOf({ tools, checks }: Story): string | undefined {
  const ran = tools
    .flatMap((tool) => shells.exec(tool)?.[1] ?? [])
    .filter((command) => looksLikeTests.test(command));
  const commands = counted(ran.map(onOneLine)).map(
    ([command]) => `\`${cutTo(command, 80).replaceAll("`", "'")}\``,
  );
  const last = checks.at(-1);
  const reds = checks.filter((one) => one === "red").length;
  const host =
    last === undefined
      ? undefined
      : last === "green"
        ? `the host's checks were green${reds === 0 ? "" : ` after ${reds} red round${reds === 1 ? "" : "s"}`}`
        : `the host's checks were red ${reds} time${reds === 1 ? "" : "s"}`;
  const own = commands.length === 0 ? undefined : `the agents ran ${listed(commands)}`;
  const both = [host, own].flatMap((one) => one ?? []).join(", and ");
  return both === "" ? undefined : `${both[0]?.toUpperCase()}${both.slice(1)}`;
}

/** How often each is there, in order of first appearance. */
function counted(all: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const one of all) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts];
}

function listed(all: readonly string[]): string {
  const named = all.slice(0, mostNamed);
  const more = all.length - named.length;
  return more === 0 ? named.join(", ") : `${named.join(", ")} and ${more} more`;
}
