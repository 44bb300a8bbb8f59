/** A ticket as a Markdown file: front matter of which we write only what is ours, and the body, which is the person's. */
import { isDeepStrictEqual } from "node:util";
import { Document, isMap, isScalar, isSeq, parseDocument } from "yaml";
import { z } from "zod";

export interface TicketText {
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  readonly closed: Closed | undefined;
  readonly createdAt: number | undefined;
  readonly author: string | undefined;
}
export type Closed = "completed" | "declined";

/** A file that cannot be read as a ticket: where, and what is wrong. */
export interface TicketFault {
  readonly line: number;
  readonly why: string;
}

const maxTitle = 250;

const Front = z.looseObject({
  title: z.string().trim().min(1, "a title is expected").max(maxTitle).optional(),
  labels: z.array(z.string().trim().min(1).max(50)).max(50).nullish(),
  closed: z.enum(["completed", "declined"], { error: "`completed` or `declined` is expected" }).nullish(),
  created: z.union([z.iso.datetime({ offset: true }), z.date()]).nullish(),
  author: z.string().max(100).nullish(),
});

/** Reads the text of a file; without front matter its first line is the title. */
export function readTicket(text: string): TicketText | TicketFault {
  const parts = partsOf(text);
  if (parts === undefined) return plainTicket(text);
  const document = parseDocument(parts.front, { prettyErrors: true });
  const [error] = document.errors;
  if (error !== undefined)
    return { line: 1 + (error.linePos?.[0].line ?? 1), why: error.message.split("\n", 1)[0] ?? "no YAML" };
  if (document.contents !== null && !isMap(document.contents))
    return { line: 2, why: "keys and values are expected, such as `title: …`" };
  const value = valueOf(document);
  if ("why" in value) return { line: 2, why: value.why };
  const front = Front.safeParse(value.is ?? {});
  if (!front.success) {
    const [issue] = front.error.issues;
    return {
      line: lineOf(document, parts.front, issue?.path ?? []),
      why: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "it is malformed"}`,
    };
  }
  const { title, labels, closed, created, author } = front.data;
  const rest = title === undefined ? plainTicket(parts.body) : { title, body: parts.body };
  if ("why" in rest) return { line: 1, why: "there is no title" };
  return {
    title: rest.title,
    body: rest.body.replace(/^(?:\r?\n)+/u, "").trimEnd(),
    labels: [...new Set(labels ?? [])],
    closed: closed ?? undefined,
    createdAt: created === null || created === undefined ? undefined : new Date(created).getTime(),
    author: author ?? undefined,
  };
}

/** An alias that names nothing, or more of them than any ticket needs, shows only here. */
function valueOf(document: Document): { readonly is: unknown } | { readonly why: string } {
  try {
    return { is: document.toJS({ maxAliasCount: 20 }) };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

function plainTicket(text: string): TicketText | TicketFault {
  const lines = text.replace(/^\uFEFF/u, "").split("\n");
  const first = lines.findIndex((line) => line.trim() !== "");
  const title = (lines[first] ?? "")
    .replace(/^\s*#+\s*/u, "")
    .trim()
    .slice(0, maxTitle);
  if (title === "") return { line: 1, why: "it is empty; a title is expected" };
  const body = lines
    .slice(first + 1)
    .join("\n")
    .replace(/^(?:\r?\n)+/u, "")
    .trimEnd();
  return { title, body, labels: [], closed: undefined, createdAt: undefined, author: undefined };
}

const lineOf = (document: Document, front: string, path: readonly PropertyKey[]): number => {
  const at = rangeOf(document.getIn(path.map(String), true))?.[0] ?? 0;
  return 1 + front.slice(0, at).split("\n").length;
};

interface Parts {
  readonly open: string;
  readonly front: string;
  readonly close: string;
  readonly body: string;
}
const fence = /^(\uFEFF?---[ \t]*\r?\n)([\s\S]*?)(^---[ \t]*(?:\r?\n|$))/mu;

function partsOf(text: string): Parts | undefined {
  const found = fence.exec(text);
  return found === null || found.index !== 0
    ? undefined
    : {
        open: found[1] ?? "",
        front: found[2] ?? "",
        close: found[3] ?? "",
        body: text.slice(found[0].length),
      };
}

/** What we say of a ticket in its file. */
export interface OwnChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  /** `open` takes the word away; left alone where it is not said. */
  readonly closed?: Closed | "open" | undefined;
}

/** The same text with our words in its front matter; everything else stays, byte for byte. */
export function withChange(text: string, change: OwnChange): string {
  const read = readTicket(text);
  if ("why" in read) return text;
  const labels = [
    ...read.labels.filter((label) => !change.remove.includes(label) || change.add.includes(label)),
    ...change.add.filter((label) => !read.labels.includes(label)),
  ];
  const closed =
    change.closed === undefined ? read.closed : change.closed === "open" ? undefined : change.closed;
  const isSame = closed === read.closed && labels.join("\n") === read.labels.join("\n");
  if (isSame) return text;
  const parts = partsOf(text);
  const lines: readonly Line[] = [
    ...(labels.join("\n") === read.labels.join("\n") ? [] : [{ key: "labels", line: labelsLine(labels) }]),
    ...(closed === read.closed ? [] : [{ key: "closed", line: closed && `closed: ${closed}` }]),
  ];
  if (parts === undefined) return `---\n${lines.map(({ line = "" }) => `${line}\n`).join("")}---\n\n${text}`;
  const front = lines.reduce(withLine, parts.front);
  const changed = `${parts.open}${front}${parts.close}${parts.body}`;
  const now = readTicket(changed);
  // What somebody wrote in a way that lines do not fit, such as in braces, is written anew.
  return isDeepStrictEqual(now, { ...read, labels, closed }) ? changed : rewritten(parts, labels, closed);
}

interface Line {
  readonly key: string;
  /** Undefined takes it away. */
  readonly line: string | undefined;
}

function labelsLine(labels: readonly string[]): string {
  const document = new Document({});
  document.set("labels", document.createNode([...labels], { flow: true }));
  return document.toString({ lineWidth: 0 }).trim();
}

/** One key of the front matter, by its line; the other lines stay as they are. */
function withLine(front: string, { key, line }: Line): string {
  const { contents } = parseDocument(front);
  const end = front.includes("\r\n") ? "\r\n" : "\n";
  const pair = isMap(contents)
    ? contents.items.find((one) => isScalar(one.key) && one.key.value === key)
    : undefined;
  const [from, to] = [rangeOf(pair?.key)?.[0], rangeOf(pair?.value)?.[1]];
  if (from === undefined || to === undefined) return line === undefined ? front : `${front}${line}${end}`;
  // A list of lines reaches to where the next key begins.
  const said = front.slice(from, to).trimEnd();
  const rest = front.slice(from + said.length);
  if (line !== undefined) return `${front.slice(0, from)}${line}${rest}`;
  return `${front.slice(0, from)}${rest.replace(/^[ \t]*\r?\n/u, "")}`;
}

const rangeOf = (node: unknown): readonly number[] | undefined =>
  isScalar(node) || isSeq(node) || isMap(node) ? (node.range ?? undefined) : undefined;

function rewritten(parts: Parts, labels: readonly string[], closed: Closed | undefined): string {
  const written = parseDocument(parts.front);
  const document: Document = written.contents === null ? new Document({}) : written;
  document.set("labels", document.createNode([...labels], { flow: true }));
  if (closed === undefined) document.delete("closed");
  else document.set("closed", closed);
  return `---\n${document.toString({ lineWidth: 0 }).replace(/\n*$/u, "\n")}---\n${parts.body}`;
}

/** The text of a new file. */
export function newTicketText(ticket: {
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  readonly author: string;
  readonly createdAt: number;
}): string {
  const { title, body, labels, author, createdAt } = ticket;
  const front = new Document({
    title: oneLine(title).slice(0, maxTitle),
    labels: [],
    author,
    created: new Date(createdAt).toISOString(),
  });
  front.set("labels", front.createNode([...labels], { flow: true }));
  return `---\n${front.toString({ lineWidth: 0 }).trimEnd()}\n---\n\n${body.trimEnd()}${body.trim() === "" ? "" : "\n"}`;
}

const oneLine = (text: string): string => text.replaceAll(/[\s\p{Cc}\u0085\u2028\u2029]+/gu, " ").trim();

/** `0003-fix-the-flaky-date-test.md`: nothing of a title that a file system or a shell could take for more than letters. */
export function fileNameOf(number: number, title: string): string {
  const words = title
    .toLowerCase()
    .normalize("NFKD")
    .replaceAll(/[^a-z0-9]+/gu, "-")
    .replaceAll(/^-+|-+$/gu, "")
    .slice(0, 60)
    .replace(/-+$/u, "");
  return `${String(number).padStart(4, "0")}${words === "" ? "" : `-${words}`}.md`;
}

/** The number a file's name begins with; undefined for a file that is no ticket. */
export function numberOf(file: string): number | undefined {
  const number = Number(/^(\d{1,9})(?:-[^/]*)?\.md$/u.exec(file)?.[1] ?? 0);
  return number > 0 ? number : undefined;
}
