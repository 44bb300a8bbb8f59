import { isMap, isNode, isScalar, type Document, type LineCounter } from "yaml";

/** Where something stands in a file, from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The place of a key, or of the nearest thing around it that has one. */
export function placeOfPath(
  document: Document.Parsed,
  lines: LineCounter,
  path: readonly PropertyKey[],
): Place {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(last));
      if (pair !== undefined && isNode(pair.key) && pair.key.range)
        return placeOfOffset(lines, pair.key.range[0]);
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return placeOfOffset(lines, node.range[0]);
  }
  return { line: 1, column: 1 };
}

/** The place of a character. */
export function placeOfOffset(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}
