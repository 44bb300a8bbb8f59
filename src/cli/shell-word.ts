/** The text as one word of a command line that a person copies: names and answers may come from anybody. */
import { plain } from "./output.ts";

export const shellWord = (text: string): string => (/^[\w./:@%+,-]+$/u.test(text) ? text : quoted(text));

/** The same, quoted whatever it is. */
export const quoted = (text: string): string => `'${plain(text).replaceAll("'", String.raw`'\''`)}'`;
