/** What git tells a pre-push hook on standard input, as changes to review. */
import { exitCodes } from "../problems.ts";
import { Failure, oneLine } from "./output.ts";

export interface PushedRef {
  readonly ref: string;
  readonly head: string;
  /** What the remote has of it; undefined for a new branch. */
  readonly remote: string | undefined;
}

const line = /^(\S+) ([0-9a-f]{40,64}) (\S+) ([0-9a-f]{40,64})$/u;
const isZero = (sha: string): boolean => /^0+$/u.test(sha);

/** The branches that are pushed; what is deleted, and tags, need no review. */
export function readPushed(text: string): readonly PushedRef[] {
  return text
    .split("\n")
    .filter((one) => one.trim() !== "")
    .flatMap((one) => {
      const [, ref = "", head = "", to = "", remote = ""] = line.exec(one.trim()) ?? [];
      if (ref === "")
        throw new Failure(
          exitCodes.usage,
          `--hook pre-push: git writes "<local ref> <sha> <remote ref> <sha>" a line, not "${oneLine(one).slice(0, 80)}". Call it from .git/hooks/pre-push: exec forgehand review --hook pre-push`,
        );
      if (isZero(head) || !to.startsWith("refs/heads/")) return [];
      return [{ ref: to.slice("refs/heads/".length), head, remote: isZero(remote) ? undefined : remote }];
    });
}
