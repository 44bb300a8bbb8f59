/** Adds rules to `.claude/settings.json` and takes back those of ours; comments, order and keys of others stay. Pure. */
import {
  applyEdits,
  modify,
  parseTree,
  getNodeValue,
  findNodeAtLocation,
  type ParseError,
} from "jsonc-parser";
import { z } from "zod";
import { lineEndOf } from "./three-way.ts";

export const settingsPath = ".claude/settings.json";

const lists = ["allow", "deny"] as const;
type ListName = (typeof lists)[number];
export type Rules = Readonly<Record<ListName, readonly string[]>>;

const Rules = z.object({ allow: z.array(z.string()), deny: z.array(z.string()) });
const none: Rules = { allow: [], deny: [] };

/** Rules that were once added, as the record keeps them. */
export function addedRules(base: string | undefined): Rules {
  if (base === undefined) return none;
  try {
    return Rules.parse(JSON.parse(base));
  } catch {
    return none;
  }
}
export const rulesText = ({ allow, deny }: Rules): string => JSON.stringify({ allow, deny });

export interface RulesChange {
  readonly text: string;
  /** All that we ever added and still stand for, also what a person took out again. */
  readonly added: Rules;
}

/** `text` is undefined where there is no such file; `why` says what keeps us from changing it. */
export function changeRules(
  text: string | undefined,
  wanted: Rules,
  before: Rules,
): RulesChange | { readonly why: string } {
  if (text === undefined) return { text: fresh(wanted), added: wanted };
  const present = presentIn(text);
  if ("why" in present) return present;
  let now = text;
  const added: Record<ListName, readonly string[]> = { allow: [], deny: [] };
  for (const list of lists) {
    // What a person removed is in `before` and not there: it is not offered again.
    const news = wanted[list].filter((rule) => !present[list].includes(rule) && !before[list].includes(rule));
    const gone = before[list].filter((rule) => !wanted[list].includes(rule) && present[list].includes(rule));
    now = edited(now, list, { present: present[list], gone, news });
    added[list] = [...before[list].filter((rule) => wanted[list].includes(rule)), ...news];
  }
  return { text: now, added };
}

const fresh = ({ allow, deny }: Rules): string =>
  `${JSON.stringify({ permissions: { ...(allow.length === 0 ? {} : { allow }), deny } }, null, 2)}\n`;

/** An empty file counts as one without any key. */
function presentIn(text: string): Rules | { readonly why: string } {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true });
  if (errors.length > 0) return { why: "it is no JSON that can be read" };
  if (root === undefined) return none;
  if (root.type !== "object") return { why: "it holds no keys" };
  const permissions = findNodeAtLocation(root, ["permissions"]);
  if (permissions !== undefined && permissions.type !== "object")
    return { why: "its `permissions` holds no keys" };
  const found: Record<ListName, readonly string[]> = { allow: [], deny: [] };
  for (const list of lists) {
    const node = findNodeAtLocation(root, ["permissions", list]);
    if (node === undefined) continue;
    const value: unknown = getNodeValue(node);
    if (!Array.isArray(value) || value.some((rule) => typeof rule !== "string"))
      return { why: `its \`permissions.${list}\` is no list of rules` };
    found[list] = value.map(String);
  }
  return found;
}

function edited(
  text: string,
  list: ListName,
  {
    present,
    gone,
    news,
  }: {
    readonly present: readonly string[];
    readonly gone: readonly string[];
    readonly news: readonly string[];
  },
): string {
  const formattingOptions = { ...indentOf(text), eol: lineEndOf(text) };
  const path = ["permissions", list];
  if (present.length === 0 && gone.length === 0)
    return news.length === 0 ? text : applyEdits(text, modify(text, path, [...news], { formattingOptions }));
  let now = text;
  const there = [...present];
  for (const rule of gone) {
    const index = there.indexOf(rule);
    now = applyEdits(now, modify(now, [...path, index], undefined, { formattingOptions }));
    there.splice(index, 1);
  }
  for (const rule of news) {
    const options = { formattingOptions, isArrayInsertion: true };
    now = applyEdits(now, modify(now, [...path, there.length], rule, options));
    there.push(rule);
  }
  return now;
}

/** As its first indented line has it. */
function indentOf(text: string): { readonly tabSize: number; readonly insertSpaces: boolean } {
  const indent = /^([ \t]+)\S/mu.exec(text)?.[1] ?? "  ";
  return { tabSize: indent.startsWith("\t") ? 1 : indent.length, insertSpaces: !indent.startsWith("\t") };
}
