import { chmodSync, existsSync, statSync } from "node:fs";
import { bad, ok, type Finding } from "./doctor-finding.ts";
import { shellWord } from "./shell-word.ts";

/** What must not be reached: by nobody else, or by nobody outside of its group. */
const closedTo = { others: 0o077, strangers: 0o007 } as const;
interface Closed {
  readonly path: string;
  /** As in "the data folder". */
  readonly what: string;
  readonly to: keyof typeof closedTo;
  /** What it is closed with by hand. */
  readonly mode: "600" | "700";
  /** Files that lie beside it and belong to it. */
  readonly beside?: readonly string[];
}

/** Whether a file or folder is closed to those who have no business in it, and what closes it where it is ours. */
export function checkMode({ path, what, to, mode, beside = [] }: Closed): Finding {
  const all = [path, ...beside].filter((one) => existsSync(one));
  const open = all.filter((one) => (statSync(one).mode & closedTo[to]) !== 0);
  if (open.length === 0) return ok(`${what} is closed to others`);
  const finding = bad(
    "usage",
    `${what} may be read by other users`,
    `chmod ${mode} ${open.map(shellWord).join(" ")}`,
  );
  const isOurs = open.every((one) => statSync(one).uid === process.geteuid?.());
  return isOurs ? { ...finding, mend: closing(open, closedTo[to]) } : finding;
}

const closing = (paths: readonly string[], bits: number): NonNullable<Finding["mend"]> => ({
  deed: `close ${paths.join(", ")} to others`,
  run: async () => {
    for (const path of paths) chmodSync(path, statSync(path).mode & 0o7777 & ~bits);
    return `${paths.join(", ")} closed to others`;
  },
});
