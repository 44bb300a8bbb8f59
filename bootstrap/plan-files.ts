/** The files of a plan: what is put, what is kept, and what will be recorded. One rule for every file of ours. */
import type { Part, RecordedFile } from "./record.ts";
import { lineEndOf, mergeTexts, normal, withLineEnds } from "./three-way.ts";
import type { EntryKind, RepositoryTree, TreeIndex } from "./tree.ts";

export interface FileChange {
  readonly path: string;
  readonly kind: "file" | "link";
  /** Undefined where it is new. */
  readonly before: string | undefined;
  /** Undefined where it goes. */
  readonly after: string | undefined;
  readonly why: string;
}
export interface KeptFile {
  readonly path: string;
  readonly is:
    | "yours"
    /** Generated once, changed since; what a newer template says was merged in or is the same. */
    | "edited"
    | "deleted"
    /** A newer template and a person changed the same lines. */
    | "conflict";
  readonly why: string;
}
/** Where a file of ours would lie; `why` says what stands in the way. */
export type Place =
  | { readonly path: string; readonly kind: Exclude<EntryKind, "link" | "module"> | undefined }
  | { readonly why: string };

export interface Ledger {
  readonly tree: RepositoryTree;
  readonly index: TreeIndex;
  readonly changed: FileChange[];
  readonly kept: KeptFile[];
  readonly records: Map<string, RecordedFile>;
  recorded(path: string): RecordedFile | undefined;
  place(path: string): Place;
  /** What is here of ours will be taken back, and hinders nothing. */
  makeRoom(path: string): void;
  /** A file that is ours as a whole. */
  whole(path: string, text: string, why: string): void;
  /** What of a text is ours, brought up to date; undefined when it stays as it is. */
  merged(path: string, part: Part, ours: string, theirs: string): string | undefined;
  put(path: string, text: string, why: string): void;
  link(path: string, target: string, why: string): void;
  keep(path: string, is: KeptFile["is"], why: string): void;
  /** As `keep`, where there is nothing to say. */
  leave(path: string): void;
  stayDeleted(path: string, recorded: RecordedFile): void;
  record(path: string, file: RecordedFile): void;
  /** What was generated once and is no more: it goes where nobody changed it. */
  takeBack(): void;
}

export function openLedger(
  tree: RepositoryTree,
  index: TreeIndex,
  before: Readonly<Record<string, RecordedFile>>,
): Ledger {
  const records = new Map<string, RecordedFile>();
  const changed: FileChange[] = [];
  const kept: KeptFile[] = [];
  const gone = new Set<string>();
  const recorded = (path: string): RecordedFile | undefined =>
    Object.hasOwn(before, path) ? before[path] : undefined;
  const ledger: Ledger = {
    tree,
    index,
    changed,
    kept,
    records,
    recorded,
    place: (path) => placeOf(tree, index, gone, path),
    makeRoom: (path) => void gone.add(path),
    leave: (path) => {
      const known = recorded(path);
      if (known !== undefined && !records.has(path)) records.set(path, known);
    },
    keep: (path, is, why) => {
      ledger.leave(path);
      kept.push({ path, is, why });
    },
    record: (path, file) => void records.set(path, file),
    stayDeleted: (path, file) => {
      records.set(path, file);
      kept.push({ path, is: "deleted", why: "it was deleted here, and stays away" });
    },
    put: (path, text, why) => {
      const old = tree.kind(path) === undefined ? undefined : tree.read(path);
      if (old !== text) changed.push({ path, kind: "file", before: old, after: text, why });
    },
    link: (path, target, why) => {
      if (tree.kind(path) === undefined)
        changed.push({ path, kind: "link", before: undefined, after: target, why });
    },
    merged: (path, part, ours, theirs) => {
      const known = recorded(path);
      if (known?.part !== part) {
        if (normal(ours) === normal(theirs)) records.set(path, { part, base: theirs });
        else ledger.keep(path, "yours", "it was here before; it is not touched");
        return undefined;
      }
      return updated(ledger, { path, part, base: known.base, ours, theirs });
    },
    whole: (path, text, why) => planWhole(ledger, path, text, why),
    takeBack: () => {
      for (const [path, file] of Object.entries(before))
        if (!records.has(path)) takeBackOne(ledger, path, file);
    },
  };
  return ledger;
}

/** A path may be spelled in another case, lie behind a link, or be no file. */
function placeOf(tree: RepositoryTree, index: TreeIndex, gone: ReadonlySet<string>, path: string): Place {
  const obstacle = index.obstacle(path);
  if (obstacle !== undefined && !gone.has(obstacle))
    return {
      why: `${obstacle} is a ${tree.kind(obstacle) === "link" ? "link" : "file"} here, so nothing is put below it`,
    };
  if (index.isFolder(path)) return { why: "it is a folder here" };
  const spelled = index.spelled(path) ?? path;
  const kind = tree.kind(spelled);
  if (kind === "link") return { why: "it is a link here, which is left alone" };
  if (kind === "module") return { why: "it is another repository here" };
  return { path: spelled, kind };
}

function planWhole(ledger: Ledger, path: string, text: string, why: string): void {
  const { tree } = ledger;
  const known = ledger.recorded(path);
  const place = ledger.place(path);
  if ("why" in place) {
    if (known !== undefined) ledger.record(path, known);
    return ledger.keep(path, "yours", place.why);
  }
  if (place.kind === undefined) {
    if (known !== undefined) return ledger.stayDeleted(path, known);
    ledger.put(path, text, why);
    return ledger.record(path, { part: "whole", base: text });
  }
  const ours = tree.read(place.path);
  if (ours === undefined) {
    if (known !== undefined) ledger.record(path, known);
    return ledger.keep(place.path, "yours", "it is no text that can be read");
  }
  const next = ledger.merged(path, "whole", ours, text);
  if (next !== undefined) ledger.put(place.path, next, why);
}

/** The same whether or not there was something to merge: said of the result, not of one run. */
const editedWhy = "it was edited here, and the edit is kept";

interface Update {
  readonly path: string;
  readonly part: Part;
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

/** Unchanged is replaced, edited is merged, and what cannot be merged stays as its people have it. */
function updated(ledger: Ledger, { path, part, base, ours, theirs }: Update): string | undefined {
  const isEdited = normal(ours) !== normal(base);
  const isNews = normal(theirs) !== normal(base);
  if (!isNews || normal(ours) === normal(theirs)) {
    if (isEdited && !isNews) ledger.keep(path, "edited", editedWhy);
    ledger.record(path, { part, base: theirs });
    return undefined;
  }
  const result: ReturnType<typeof mergeTexts> = isEdited
    ? mergeTexts(base, ours, theirs)
    : { is: "merged", text: withLineEnds(normal(theirs), lineEndOf(ours)) };
  if (result.is === "conflict") {
    // The base stays, so that the next version is merged from where both began.
    ledger.record(path, { part, base });
    ledger.keep(path, "conflict", "it was edited here where the template changed too; it stays as it is");
    return undefined;
  }
  if (isEdited) ledger.keep(path, "edited", editedWhy);
  ledger.record(path, { part, base: theirs });
  return result.text;
}

function takeBackOne(ledger: Ledger, path: string, { part, base }: RecordedFile): void {
  const { tree } = ledger;
  if (tree.kind(path) === undefined) return;
  const text = tree.read(path);
  const isOurs =
    part === "link"
      ? tree.kind(path) === "link" && text === base
      : part === "whole" && text !== undefined && normal(text) === normal(base);
  if (!isOurs) {
    ledger.kept.push({ path, is: "edited", why: "it is no longer generated; what was edited here stays" });
    return;
  }
  ledger.changed.push({
    path,
    kind: part === "link" ? "link" : "file",
    before: text,
    after: undefined,
    why: "it is no longer generated",
  });
}
