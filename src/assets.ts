import { fileURLToPath } from "node:url";

/** A file or folder that ships beside the code, by its path below `src`; from the sources, and from what is built of them. */
export const asset = (path: string): string => fileURLToPath(new URL(`../src/${path}`, import.meta.url));
