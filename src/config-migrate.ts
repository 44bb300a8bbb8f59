import { Document, isMap, isNode, isScalar, parseDocument, Scalar, type Pair, type YAMLMap } from "yaml";
import { schemaAddress } from "./config-file.ts";
import type { Path } from "./config-layer.ts";
import { partsOf, readWorkflow } from "./config-workflow.ts";

/** The file of ours that says what a sound workflow file says, with its comments, and what was left out and why. */
export function fileFromWorkflow(text: string, name: string): string {
  const { said, notes, taken } = readWorkflow(text);
  const old = parseDocument(partsOf(text)?.front ?? "");
  const made = new Document({ version: 1, ...said });
  const groups = new Map(taken.map(({ key, path }) => [String(key[0]), path.slice(0, 1)]));
  for (const [group, path] of groups) copyComments(old, [group], made, path);
  for (const { key, path } of taken) if (key.length > 1) copyComments(old, key, made, path);
  asBlocks(made.contents);
  const left = notes.flatMap(({ key, why }, index) => {
    const [group = "", ...inner] = key.split(".");
    const isFirst = notes.findIndex((one) => one.key.split(".")[0] === group) === index;
    const above = [
      ...(isFirst && !groups.has(group) ? commentsAbove(old, [group]) : []),
      ...(inner.length > 0 ? commentsAbove(old, [group, ...inner]) : []),
    ];
    return [...above.map((line) => `#   # ${line.trim()}`), `#   ${key}: ${why}`];
  });
  return [
    `# yaml-language-server: $schema=${schemaAddress}`,
    `# Made from ${name}. Every key: \`forgehand config print\`; what is wrong: \`forgehand config validate\`.`,
    made.toString({ lineWidth: 0 }).trimEnd(),
    ...(left.length === 0 ? [] : ["", `# Of ${name} this was left out, or is something else here:`, ...left]),
    "",
  ].join("\n");
}

function pairAt(document: Document, path: Path): { readonly pair: Pair; readonly map: YAMLMap } | undefined {
  const map = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(map)) return undefined;
  const last = String(path.at(-1));
  const pair = map.items.find(({ key }) => String(isScalar(key) ? key.value : key) === last);
  return pair === undefined ? undefined : { pair, map };
}

function commentsAbove(document: Document, path: Path): readonly string[] {
  const found = pairAt(document, path);
  if (found === undefined) return [];
  const { pair, map } = found;
  const above = isNode(pair.key) ? pair.key.commentBefore : undefined;
  // Those above the first key of a group belong to the group.
  const first = map.items[0] === pair ? map.commentBefore : undefined;
  const beside = isNode(pair.value) ? pair.value.comment : undefined;
  return [first, above, beside].flatMap((one) => (one === null || one === undefined ? [] : one.split("\n")));
}

function copyComments(old: Document, from: Path, made: Document, to: Path): void {
  const comments = commentsAbove(old, from);
  const target = pairAt(made, to)?.pair;
  if (comments.length === 0 || target === undefined) return;
  if (!isNode(target.key)) target.key = made.createNode(target.key);
  if (isNode(target.key)) target.key.commentBefore = comments.join("\n");
}

/** Texts of several lines stand as they were written. */
function asBlocks(node: unknown): void {
  if (isMap(node)) for (const { value } of node.items) asBlocks(value);
  else if (isScalar(node) && typeof node.value === "string" && node.value.includes("\n"))
    node.type = Scalar.BLOCK_LITERAL;
}
