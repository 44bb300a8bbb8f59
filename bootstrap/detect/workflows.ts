import type { CiFound, DetectionWarning, Evidence } from "./detected.ts";
import { foreignDoubt } from "./candidate.ts";
import { classOf, type Class } from "./classify.ts";
import { fieldsOf, own, wordOf, wordsOf, yamlOf, type Fields } from "./parse.ts";
import { expand } from "./expressions.ts";
import { commandsOf, isFit } from "./shell.ts";
import { evidenceAt, evidenceMatching, evidenceOf, lineHolding, lineMatching, type Text } from "./text.ts";
import { joined, nameOf, type Tree } from "./tree.ts";

/** A command that a workflow runs for changes under review. */
export interface CiCommand extends Class {
  readonly command: string;
  readonly folder: string;
  readonly evidence: Evidence;
  /** Where it runs on no Linux machine. */
  readonly doubt?: string;
  /** Workflow and job, by which the set-up of a test is told from another's. */
  readonly job: string;
  /** What the job starts beside it, such as a database. */
  readonly services: readonly string[];
}

export interface CiRead {
  readonly found: CiFound;
  readonly commands: readonly CiCommand[];
  readonly warnings: readonly DetectionWarning[];
}

const maxWorkflows = 50;
const maxSteps = 400;
/** Of all workflows together; each is weighed against the others. */
const maxCommands = 500;

const otherServices =
  /^(?:\.gitlab-ci\.yml|\.circleci\/config\.yml|\.travis\.yml|azure-pipelines\.yml|Jenkinsfile|bitbucket-pipelines\.yml|\.buildkite\/pipeline\.ya?ml|\.woodpecker\.ya?ml|\.woodpecker\/.+\.ya?ml|\.drone\.yml|appveyor\.yml|\.cirrus\.yml|\.semaphore\/semaphore\.yml)$/u;

/** What runs for a pull request is what a change has to pass: nothing else in a repository is kept as true. */
export function readWorkflows(tree: Tree): CiRead {
  const paths = tree
    .names(".github/workflows")
    .filter((name) => /\.ya?ml$/u.test(name))
    .map((name) => `.github/workflows/${name}`);
  const read = paths.slice(0, maxWorkflows).map((path) => readWorkflow(tree, path));
  return {
    found: {
      workflows: paths,
      onPullRequest: read.flatMap(({ onPullRequest }) => onPullRequest),
      onMergeGroup: read.flatMap(({ onMergeGroup }) => onMergeGroup),
      others: tree.paths.filter((path) => otherServices.test(path)),
    },
    commands: read.flatMap(({ commands }) => commands).slice(0, maxCommands),
    warnings: read.flatMap(({ warnings }) => warnings),
  };
}

interface WorkflowRead {
  readonly onPullRequest: readonly Evidence[];
  readonly onMergeGroup: readonly Evidence[];
  readonly commands: readonly CiCommand[];
  readonly warnings: readonly DetectionWarning[];
}

function readWorkflow(tree: Tree, path: string): WorkflowRead {
  const nothing: WorkflowRead = { onPullRequest: [], onMergeGroup: [], commands: [], warnings: [] };
  const text = tree.read(path);
  if (text === undefined) return { ...nothing, warnings: [unreadable(path, "it is too large or no text")] };
  const parsed = yamlOf(text);
  if ("fault" in parsed) return { ...nothing, warnings: [unreadable(path, parsed.fault)] };
  const heard = eventsOf(parsed.value);
  const at = (event: string): readonly Evidence[] =>
    heard.has(event) ? [evidenceMatching(text, new RegExp(String.raw`\b${event}\b`, "u"))] : [];
  const ofChanges = ["pull_request", "push", "merge_group"].some((event) => heard.has(event));
  const steps = ofChanges && !carrying.test(nameOf(path)) ? stepsOf(parsed.value, text, tree) : [];
  return {
    onPullRequest: at("pull_request"),
    onMergeGroup: at("merge_group"),
    commands: steps.flatMap(({ commands }) => commands),
    warnings: steps.flatMap(({ warnings }) => warnings),
  };
}

const unreadable = (path: string, fault: string): DetectionWarning => ({
  code: "unreadable-file",
  message: `${path} was left out: ${fault}.`,
  evidence: [evidenceOf(path)],
});

/** The events it hears. A push of tags alone is a release. */
function eventsOf(workflow: Fields): ReadonlySet<string> {
  const on = own(workflow, "on") ?? own(workflow, "true");
  const events = new Set<string>(wordsOf(on));
  for (const [event, filter] of Object.entries(fieldsOf(on))) {
    const given = fieldsOf(filter);
    if (event === "push" && (own(given, "tags") !== undefined || own(given, "tags-ignore") !== undefined))
      if (own(given, "branches") === undefined) continue;
    events.add(event);
  }
  return events;
}

type StepRead = Pick<WorkflowRead, "commands" | "warnings">;

/** Jobs that carry a change away instead of judging it. */
const carrying =
  /deploy|publish|release|pages|docker-push|changelog|stale|label|notify|nightly|bench|codeql|scorecard|fuzz/iu;
/** Conditions that hold for no pull request, or not for this machine. */
const elsewhere =
  /refs\/tags|refs\/heads\/|github\.ref(?:_name)?\s*==|event_name\s*==\s*['"](?!pull_request['"])|schedule|workflow_dispatch|runner\.os\s*==\s*['"](?:Windows|macOS)|failure\(\)|cancelled\(\)|^\s*(?:\$\{\{\s*)?false/u;

function stepsOf(workflow: Fields, text: Text, tree: Tree): readonly StepRead[] {
  const read: StepRead[] = [];
  let line = lineMatching(text, /^["']?jobs["']?\s*:/u) ?? 1;
  for (const [name, job] of Object.entries(fieldsOf(workflow, "jobs"))) {
    line = lineMatching(text, new RegExp(String.raw`^\s+["']?${escaped(name)}["']?\s*:`, "u"), line) ?? line;
    const fields = fieldsOf(job);
    if (own(fields, "environment") !== undefined || own(fields, "uses") !== undefined) continue;
    if (carrying.test(name) || elsewhere.test(wordOf(fields, "if") ?? "")) continue;
    const steps = own(fields, "steps");
    for (const step of Array.isArray(steps) ? (steps as readonly unknown[]).slice(0, maxSteps) : []) {
      const one = stepRead(
        { workflow, job: fields, step: fieldsOf(step), name: `${text.path}#${name}`, tree },
        text,
        line,
      );
      line = one.line;
      read.push(one);
    }
    if (read.length > maxSteps) break;
  }
  return read;
}

const escaped = (name: string): string =>
  name.replaceAll(/[^\w-]/gu, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`);

interface StepIn {
  readonly tree: Tree;
  readonly name: string;
  readonly workflow: Fields;
  readonly job: Fields;
  readonly step: Fields;
}

function stepRead(where: StepIn, text: Text, from: number): StepRead & { readonly line: number } {
  const { workflow, job, step } = where;
  const nothing = { commands: [], warnings: [], line: from };
  const run = wordOf(step, "run");
  if (run === undefined || elsewhere.test(wordOf(step, "if") ?? "")) return nothing;
  const shell =
    wordOf(step, "shell") ??
    wordOf(job, "defaults", "run", "shell") ??
    wordOf(workflow, "defaults", "run", "shell");
  if (shell !== undefined && !/^(?:ba|z|)sh\b/u.test(shell)) return nothing;
  const folder = folderOfStep(where);
  if (folder === undefined) return nothing;
  const shared = {
    ...(onLinux(job) ? {} : { doubt: foreignDoubt }),
    job: where.name,
    services: Object.keys(fieldsOf(job, "services")).filter((name) => /^[\w-]{1,40}$/u.test(name)),
  };
  const found: CiCommand[] = [];
  const warnings: DetectionWarning[] = [];
  const secret = secretOf(where, run);
  let line = from;
  for (const said of commandsOf(run)) {
    const at = lineOf(said.command, text, line);
    line = at ?? line;
    const evidence = at === undefined ? evidenceOf(text.path) : evidenceAt(text, at);
    const plain = said.command.replaceAll(/\$\{\{[^{}]*\}\}/gu, "…");
    if (secret !== undefined && classOf(plain) !== undefined) {
      warnings.push(givenSecret(secret, plain, evidence));
      continue;
    }
    for (const [nth, command] of expand(said.command, where).entries()) {
      const inside = joined(folder, said.folder);
      const told = classOf(command);
      // What is checked out beside it is another repository.
      if (told === undefined || inside === undefined || !where.tree.holds(inside)) continue;
      if (/\$\{?\w/u.test(command)) continue;
      // A set-up for each value of the matrix is one set-up.
      if (told.kind === "setup" && nth > 0) continue;
      if (isFit(command))
        found.push({ ...told, ...shared, command: `${prefix(step)}${command}`, folder: inside, evidence });
      else warnings.push(refused(evidence));
    }
  }
  return { commands: found, warnings: warnings.slice(0, 1), line };
}

const givenSecret = (secret: string, command: string, evidence: Evidence): DetectionWarning => ({
  code: "needs-secret",
  message: `${isFit(command) && !command.includes("`") ? `\`${command}\`` : "A command"} of ${evidence.path} was passed over: there it is given the secret ${secret}, which an agent never gets.`,
  evidence: [evidence],
});

const refused = (evidence: Evidence): DetectionWarning => ({
  code: "refused-command",
  message: `A command of ${evidence.path} was refused: it is too long, or holds signs that nobody sees.`,
  evidence: [evidence],
});

/** Where the command begins, from a line on. */
function lineOf(command: string, text: Text, from: number): number | undefined {
  const words = command.split(" ");
  for (const count of [words.length, 3, 2, 1]) {
    const line = lineHolding(text, words.slice(0, count).join(" "), from);
    if (line !== undefined) return line;
  }
  return undefined;
}

function folderOfStep({ workflow, job, step }: StepIn): string | undefined {
  const given =
    wordOf(step, "working-directory") ??
    wordOf(job, "defaults", "run", "working-directory") ??
    wordOf(workflow, "defaults", "run", "working-directory") ??
    ".";
  const [folder, ...more] = expand(given, { workflow, job, step });
  return folder === undefined || more.length > 0 ? undefined : joined(".", folder);
}

const onLinux = (job: Fields): boolean => {
  const asked = JSON.stringify([own(job, "runs-on") ?? "", fieldsOf(job, "strategy", "matrix")]);
  return !/windows|macos/iu.test(asked) || /ubuntu|linux/iu.test(asked);
};

/** Tokens of caches and coverage services: without them the same command runs. */
const dispensable =
  /^(?:GITHUB_TOKEN|TURBO_(?:TOKEN|TEAM)|NX_CLOUD_ACCESS_TOKEN|CODECOV_TOKEN|COVERALLS_REPO_TOKEN|CACHIX_\w+|SONAR_TOKEN)$/u;

/** Name of a secret that the step is given, itself or by its job. */
function secretOf({ workflow, job, step }: StepIn, run: string): string | undefined {
  const given = [run, ...[step, job, workflow].flatMap((fields) => Object.values(fieldsOf(fields, "env")))]
    .filter((value) => typeof value === "string")
    .join("\n");
  for (const [, name = ""] of given.matchAll(/\bsecrets(?:\.|\[')(\w{1,100})/gu))
    if (!dispensable.test(name)) return name;
  return undefined;
}

/** Settings that the step gives its command, where they are plain. */
function prefix(step: Fields): string {
  const given = Object.entries(fieldsOf(step, "env")).filter(([name]) => !dispensable.test(name));
  if (given.length > 3) return "";
  return given
    .flatMap(([name, value]) => {
      const word = typeof value === "boolean" ? `${value}` : wordOf(value);
      return /^[A-Z_][A-Z0-9_]*$/u.test(name) && word !== undefined && /^[\w./:@%+,=-]{1,100}$/u.test(word)
        ? [`${name}=${word} `]
        : [];
    })
    .join("");
}
