import type { Candidate } from "./candidate.ts";
import { isSpecial, isWatching, kindOfName } from "./classify.ts";
import type { CommandKind, DetectionWarning, Evidence } from "./detected.ts";
import type { ManagerWords } from "./node-manager.ts";
import { fieldsOf, type Fields } from "./parse.ts";
import { bare, isFit, partsOf } from "./shell.ts";
import { evidenceAt, evidenceOf, lineMatching, type Text } from "./text.ts";

interface Scripts {
  readonly folder: string;
  readonly text: Text;
  readonly manifest: Fields;
  readonly words: ManagerWords;
}
export interface ScriptsRead {
  readonly candidates: readonly Candidate[];
  readonly warnings: readonly DetectionWarning[];
  /** Those that never end, or do nothing: whoever tells people to run them is wrong. */
  readonly troubled: ReadonlySet<string>;
}

const maxScripts = 300;
/** In this order; what is not named here comes after, with a doubt. */
const preferred: Readonly<Record<CommandKind, readonly string[]>> = {
  setup: [],
  test: ["test", "test:ci", "test:run", "test:unit", "unit", "tests"],
  lint: ["lint", "lint:ci", "lint:check", "lint:all"],
  build: ["build", "compile"],
};

/** What the scripts of a manifest say: those that end by themselves, change nothing and are no placeholder. */
export function readScripts(at: Scripts): ScriptsRead {
  const scripts = Object.entries(fieldsOf(at.manifest, "scripts"))
    .filter(
      (entry): entry is [string, string] =>
        typeof entry[1] === "string" && /^[\w:.@/-]{1,80}$/u.test(entry[0]),
    )
    .slice(0, maxScripts);
  const bodies = new Map(scripts);
  const candidates: Said[] = [];
  const warnings: DetectionWarning[] = [];
  const troubled = new Set<string>();
  for (const [name, body] of scripts) {
    const kind = kindOfName(name);
    if (kind === undefined || kind === "setup") continue;
    const evidence = evidenceOfScript(at.text, name);
    const trouble = troubleOf(name, body, bodies);
    if (trouble !== undefined) {
      troubled.add(name);
      // Only a script that people would call is worth a word.
      if (preferred[kind].includes(name)) warnings.push(warningOf(trouble, at, name, body, evidence));
      if (trouble !== "watch-mode") continue;
    }
    const once = trouble === "watch-mode" ? onceOf(name, body, at.words) : undefined;
    if (trouble === "watch-mode" && once === undefined) continue;
    candidates.push(scriptCandidate({ kind, name, body, once, evidence }, at));
  }
  return { candidates: withTypes(ranked(candidates)), warnings, troubled };
}

const evidenceOfScript = (text: Text, name: string): Evidence => {
  const start = lineMatching(text, /"scripts"\s*:/u) ?? 1;
  const plain = name.replaceAll(/[./]/gu, (sign) => `\\${sign}`);
  const line = lineMatching(text, new RegExp(`"${plain}"\\s*:`, "u"), start);
  return line === undefined ? evidenceOf(text.path) : evidenceAt(text, line);
};

type Trouble = "placeholder-script" | "watch-mode" | "circular-script";

function troubleOf(name: string, body: string, bodies: ReadonlyMap<string, string>): Trouble | undefined {
  if (isPlaceholder(body)) return "placeholder-script";
  if (isCircular(name, bodies)) return "circular-script";
  return leads(name, bodies).some((one) => partsOf(one).some(staysAwake)) ? "watch-mode" : undefined;
}

/** It says that there is nothing, or does nothing. */
export function isPlaceholder(body: string): boolean {
  if (/no tests? (?:specified|yet|configured|defined)|not (?:yet )?implemented|\btodo\b/iu.test(body))
    return true;
  const parts = partsOf(body);
  return parts.every((part) => /^(?:echo\b.*|exit(?: \d+)?|true|false|:)$/u.test(part));
}

/** `bun test` is no script: it is a runner of its own. */
const calls =
  /(?:^|[\s;&|])(?:(?:npm|pnpm|yarn)(?: (?:run|run-script))?|bun run)(?: -s| --silent)? ([\w:.@/-]+)/gu;
const called = (body: string): readonly string[] =>
  [...body.matchAll(calls)].map(([, name = ""]) => (name === "t" ? "test" : name));

function isCircular(name: string, bodies: ReadonlyMap<string, string>): boolean {
  const seen = new Set<string>();
  const next = called(bodies.get(name) ?? "").slice(0, 50);
  for (let one = next.pop(); one !== undefined; one = next.pop()) {
    if (one === name) return true;
    if (seen.has(one) || seen.size > maxScripts) continue;
    seen.add(one);
    next.push(...called(bodies.get(one) ?? "").slice(0, 50));
  }
  return false;
}

/** The script's own text, and that of the one it only calls. */
const leads = (name: string, bodies: ReadonlyMap<string, string>): readonly string[] => {
  const body = bodies.get(name) ?? "";
  return [body, ...called(body).flatMap((one) => bodies.get(one) ?? [])];
};

/** Runs until somebody ends it, even where nobody sits at a terminal. */
const staysAwake = (part: string): boolean =>
  isWatching(bare(part)) ||
  /^(?:ng test|karma start)\b(?!.*(?:--watch[= ]false|--no-watch|--single-run))|^(?:nodemon|tsc-watch|tsc .*-w\b|webpack serve)/u.test(
    bare(part).replace(/^npx /u, ""),
  );

/** Waits for changes at a terminal and ends by itself where CI is said. */
const endsInCi = (body: string): boolean =>
  partsOf(body).some((part) =>
    /^(?:npx )?(?:vitest(?! run\b| bench| --run)(?!.* --run)|react-scripts test|craco test|jest-watch)\b/u.test(
      bare(part),
    ),
  );

/** The same, so that it ends; undefined where we know no way. */
function onceOf(name: string, body: string, words: ManagerWords): string | undefined {
  const last = bare(partsOf(body).at(-1) ?? "");
  if (/^(?:npx )?(?:ng test|karma start)/u.test(last))
    return `${words.run(name)}${words.dashes} ${last.includes("karma") ? "--single-run" : "--watch=false"}`;
  if (!/^(?:npx )?(?:jest|vitest|mocha|ava)\b/u.test(last) || partsOf(body).length > 1) return undefined;
  const plain = last
    .replace(/^npx /u, "")
    .replaceAll(/ --watch(?:All|-all)?(?:=true)?(?= |$)/gu, "")
    .replace(/^vitest(?: watch)?(?= |$)/u, "vitest run");
  return `${words.exec} ${plain}`;
}

interface ScriptSaid {
  readonly kind: CommandKind;
  readonly name: string;
  readonly body: string;
  readonly once: string | undefined;
  readonly evidence: Evidence;
}

function scriptCandidate(
  { kind, name, body, once, evidence }: ScriptSaid,
  { folder, text, words }: Scripts,
): Said {
  const ends = once ?? (kind === "test" && endsInCi(body) ? `CI=1 ${words.run(name)}` : words.run(name));
  const doubt =
    kind === "lint" && /(?:^|\s)--(?:fix|write)\b/u.test(body)
      ? "it changes files"
      : once !== undefined
        ? "it is put together from a script that watches"
        : kind === "test" && name !== "test" && isSpecial(`${name} ${body}`)
          ? "it looks like a longer suite"
          : undefined;
  return {
    name,
    kind,
    command: isFit(ends) ? ends : words.run(name),
    folder,
    source: "script",
    evidence: [evidence],
    reason:
      once === undefined
        ? `it is a script of ${text.path}`
        : `the script of ${text.path} would watch for ever`,
    ...(doubt === undefined ? {} : { doubt }),
  };
}

type Said = Candidate & { readonly name: string };

/** The first of the names that people give is taken without a doubt, if nothing else is doubtful about it. */
function ranked(candidates: readonly Said[]): readonly Candidate[] {
  const firsts = Object.entries(preferred).map(([kind, names]) =>
    names
      .map((name) => candidates.find((one) => one.kind === kind && one.name === name))
      .find((one) => one !== undefined && one.doubt === undefined),
  );
  return candidates.map((one) => {
    const { name, ...candidate } = one;
    if (firsts.includes(one) || one.doubt !== undefined) return candidate;
    const known = preferred[one.kind].includes(name);
    return {
      ...candidate,
      doubt: known ? "a plainer name comes first" : "its name tells less than another's",
    };
  });
}

/** A check of types beside the plain check of style: a change has to pass both. */
function withTypes(candidates: readonly Candidate[]): readonly Candidate[] {
  const plain = candidates.find(({ kind, doubt }) => kind === "lint" && doubt === undefined);
  const types = candidates.find(
    ({ kind, command }) =>
      kind === "lint" &&
      /[ :](?:types?(?:[:-]?check)?|check[:-]types|typecheck|type-check|tsc)$/u.test(command),
  );
  if (types === undefined) return candidates;
  if (plain === undefined)
    return candidates.map((one) => (one === types ? { ...one, doubt: "it looks at types alone" } : one));
  return candidates.map((one) =>
    one === plain
      ? {
          ...one,
          command: `${one.command} && ${types.command}`,
          evidence: [...one.evidence, ...types.evidence],
          reason: `${one.reason}, and types have one of their own`,
        }
      : one,
  );
}

function warningOf(
  trouble: Trouble,
  { text, words }: Scripts,
  name: string,
  body: string,
  evidence: Evidence,
): DetectionWarning {
  const once = onceOf(name, body, words);
  const says: Record<Trouble, string> = {
    "placeholder-script": "does nothing yet",
    "circular-script": "calls itself",
    "watch-mode":
      once === undefined
        ? "waits for changes and never ends"
        : `waits for changes and never ends; \`${once}\` runs it once`,
  };
  return {
    code: trouble,
    message: `The script \`${name}\` of ${text.path} ${says[trouble]}.`,
    evidence: [evidence],
  };
}
