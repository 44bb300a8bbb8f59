import { readFileSync } from "node:fs";
import { closedPart } from "../problems-database.ts";
import { Problem, type ProblemCode } from "../problems.ts";

/** The text of a file of the operator's. Nobody has to have one; but one that was `named` should be there. */
export function operatorsFile(
  path: string,
  named: string | undefined,
  wrong: ProblemCode,
): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const closed = closedPart(path);
    if (closed !== undefined) throw new Problem("file-closed", { path, closed }, { cause: error });
    const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (isAbsent && named === undefined) return undefined;
    const why = isAbsent ? "there is no such file." : "it cannot be read.";
    throw new Problem(wrong, { path, why }, { cause: error });
  }
}
