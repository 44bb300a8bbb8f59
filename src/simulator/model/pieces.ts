import { dirname } from "node:path";

/** A text as a stream brings it: in two pieces, none of them empty. */
export function halves(text: string): readonly string[] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)].filter((piece) => piece !== "");
}

/** One word of a shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A shell command that writes a file, whatever is in it. */
export const writing = ({ path, text }: { readonly path: string; readonly text: string }): string =>
  `mkdir -p ${quoted(dirname(path))} && printf %s ${Buffer.from(text).toString("base64")} | base64 -d > ${quoted(path)}`;
