/** A ticket's change as it was reviewed, from the bare mirror: by round, or between two, with what the round found on its lines. */
import type { ChangeSeen } from "../../ports-changes.ts";
import type {
  DiffAsk,
  DiffFileView,
  DiffLineView,
  DiffView,
  ShownRound,
} from "../../ports-dashboard-ticket.ts";
import { Trouble } from "../../ports.ts";
import { parseDiff, type DiffFile } from "../../review/diff.ts";
import { gateHits } from "../../review/needs-person.ts";
import { protectedReasons } from "../../review/protected-paths.ts";
import { redact } from "../../secrets.ts";
import { short, type FindingView, type RoundView } from "../../says.ts";
import type { RepoConfig } from "../../config.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import type { Line } from "../../store/ledger.ts";
import { spelled } from "../../untrusted.ts";
import { tellingTypes, viewFrom } from "../view.ts";
import type { Workshop } from "../workshop.ts";
import type { Found } from "./ticket.ts";

const maxChars = 1_000_000;
const maxFiles = 300;
const maxLinesOfFile = 1_500;
const maxLines = 6_000;
const linesTelling = 400;
/** Two commits never change: what was read of them is kept for the next look, of so many. */
const kept = 16;

export function openDiffs(shop: Workshop): (found: Found, ask: DiffAsk) => Promise<DiffView> {
  const known = new Map<string, Promise<Read>>();
  return async (found, ask) => {
    const { stored, repo } = found;
    const { ref, title, ticket } = stored;
    const [lines, sessions] = await Promise.all([
      shop.store.linesOfTypes(ticket.id, tellingTypes, linesTelling),
      shop.store.sessionsOf(ticket.id),
    ]);
    const { rounds: judged } = await viewFrom(shop, stored, repo, { lines, sessions, read: "now" });
    const rounds = shownRounds(judged, ticket.head);
    const round = rounds.find(({ number }) => number === ask.round) ?? rounds.at(-1);
    const since = rounds.find(({ number }) => number === ask.since && number < (round?.number ?? 0));
    const view = { ref, id: ticket.id, title, rounds, round: round?.number, since: since?.number };
    if (round === undefined)
      return { ...view, ...nothing("No head was delivered yet; the first build brings one.") };
    const upon = ticket.upon?.head;
    const order = { found, head: round.head, since: since?.head, forks: forksOf(lines, round.head, upon) };
    const key = JSON.stringify([repo.id, repo.configAt, order.head, order.since, order.forks]);
    const read = known.get(key) ?? readChange(shop, order);
    known.delete(key);
    known.set(key, read);
    for (const [oldest] of known) if (known.size > kept) known.delete(oldest);
    const change = await read;
    if (change.is === "missing") known.delete(key);
    const { findings = [] } = judged.find(({ number }) => number === round.number) ?? {};
    return { ...view, head: round.head, ...shown(change, findings) };
  };
}

const nothing = (missing: string) => ({
  base: undefined,
  head: undefined,
  missing,
  files: [],
  fileCount: 0,
  findings: [],
  isCut: false,
});

/** Each round's head, and the newest where nobody has judged it yet. */
function shownRounds(judged: readonly RoundView[], head: Sha | undefined): readonly ShownRound[] {
  const rounds = judged.map(({ number, head: at, verdict }) => ({ number, head: at, verdict }));
  if (head === undefined || rounds.at(-1)?.head === head) return rounds;
  return [...rounds, { number: (rounds.at(-1)?.number ?? 0) + 1, head, verdict: undefined }];
}

/** Commits of the base that this head may have left: once it is merged, the default branch has all of it. */
function forksOf(lines: readonly Line[], head: Sha, upon: Sha | undefined): readonly string[] {
  const judged = lines.findLast(({ event }) => event.type === "review.passed" && event.head === head)?.event;
  const evidence = judged?.type === "review.passed" ? judged.evidence : undefined;
  const asked = lines.findLast(({ event }) => event.type === "merge.asked")?.event;
  const merged = lines.findLast(({ event }) => event.type === "pr.merged")?.event;
  return [
    ...(evidence === undefined ? [] : [evidence.base]),
    ...(upon === undefined ? [] : [upon]),
    ...(asked?.type === "merge.asked" ? [asked.base] : []),
    ...(merged?.type === "pr.merged" && merged.merge !== "" ? [`${merged.merge}^1`] : []),
  ].filter((name) => /^[\da-f]{40,64}(?:\^1)?$/u.test(name));
}

interface Order {
  readonly found: Found;
  readonly head: Sha;
  readonly since: Sha | undefined;
  readonly forks: readonly string[];
}
type Read =
  | { readonly is: "missing"; readonly why: string }
  | {
      readonly is: "read";
      readonly base: Sha;
      readonly files: readonly DiffFile[];
      readonly signs: ReadonlyMap<string, readonly string[]>;
      readonly isCut: boolean;
    };

async function readChange(shop: Workshop, { found: { repo }, head, since, forks }: Order): Promise<Read> {
  let seen: ChangeSeen;
  try {
    seen = await shop.changes.between(shop.remoteOf(repo), {
      head,
      with: since === undefined ? { forkOf: forks } : { head: since },
      maxChars,
    });
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    return { is: "missing", why: `Git cannot show it: ${redact(error.message)}` };
  }
  if (seen.is === "gone")
    return {
      is: "missing",
      why: `${/^[\da-f]{40}/u.test(seen.commit) ? `The commit ${short(seen.commit)}` : `The branch ${seen.commit}`} is not on this host any more, so the change cannot be shown here. The pull request may still have it.`,
    };
  const signs = await signsOf(seen.text, shop.rulesOf(repo).config);
  const files = parseDiff(redact(seen.text));
  return { is: "read", base: seen.base, files, signs, isCut: seen.isCut };
}

/** Why a person has to look, by file. */
async function signsOf(diff: string, config: RepoConfig): Promise<ReadonlyMap<string, readonly string[]>> {
  const signs = new Map<string, string[]>();
  const add = (path: string, why: string): void => {
    const before = signs.get(path);
    if (before === undefined) signs.set(path, [why]);
    else if (!before.includes(why)) before.push(why);
  };
  for (const file of parseDiff(diff))
    for (const why of protectedReasons([file], config.paths.protected))
      if (why.startsWith("`")) add(file.path, why.slice(why.indexOf("` ") + 2));
  const largest = { files: Infinity, lines: Infinity };
  for (const { path, line, reason } of await gateHits(diff, { largest, attributes: undefined }))
    add(path, line === undefined ? reason : `line ${line}: ${reason}`);
  return signs;
}

/** As much of it as a page holds, each finding on its line where that is shown. */
function shown(
  read: Read,
  findings: readonly FindingView[],
): Pick<DiffView, "base" | "missing" | "files" | "fileCount" | "findings" | "isCut"> {
  if (read.is === "missing") {
    const { head: _head, ...none } = nothing(read.why);
    return { ...none, findings };
  }
  let left = maxLines;
  const files = read.files.slice(0, maxFiles).map((file) => {
    const own = findings.filter(({ path }) => path === file.path);
    const view = fileView(file, own, Math.min(left, maxLinesOfFile), read.signs.get(file.path) ?? []);
    left -= view.hunks.reduce((sum, { lines }) => sum + lines.length, 0);
    return view;
  });
  const paths = new Set(files.map(({ path }) => path));
  return {
    base: read.base,
    missing: read.files.length === 0 ? "Nothing differs between the two." : undefined,
    files,
    fileCount: read.files.length,
    findings: findings.filter(({ path }) => path === undefined || !paths.has(path)),
    isCut: read.isCut || files.length < read.files.length || files.some(({ isCut }) => isCut),
  };
}

function fileView(
  file: DiffFile,
  findings: readonly FindingView[],
  mostLines: number,
  signs: readonly string[],
): DiffFileView {
  const { path, oldPath, is, isBinary, added, removed } = file;
  let left = mostLines;
  const placed = new Set<FindingView>();
  const hunks = file.hunks.flatMap(({ heading, lines }) => {
    const some = lines.slice(0, Math.max(0, left));
    left -= some.length;
    return some.length === 0
      ? []
      : [
          {
            heading,
            lines: some.map((line): DiffLineView => {
              const here =
                line.sign === "-" ? [] : findings.filter((one) => one.line === line.line && !placed.has(one));
              for (const one of here) placed.add(one);
              return { ...line, text: spelled(line.text), findings: here };
            }),
          },
        ];
  });
  const all = file.hunks.reduce((sum, { lines }) => sum + lines.length, 0);
  return {
    path,
    oldPath: oldPath === path ? undefined : oldPath,
    is,
    isBinary,
    added: added.length,
    removed: removed.length,
    signs,
    hunks,
    findings: findings.filter((one) => !placed.has(one)),
    isCut: all > mostLines,
  };
}
