import { join } from "node:path";
import type { Environment } from "../config-environment.ts";
import { readLinearFile, type LinearFile } from "../config-linear-file.ts";
import { operatorsFile } from "./operators-file.ts";

/** What the operator says of Linear's boards. Throws a `Problem` for a file that is wrong. */
export function ownLinearRules({
  linearFile,
  dataDir,
}: Pick<Environment, "linearFile" | "dataDir">): LinearFile {
  const path = linearFile ?? join(dataDir, "linear.yml");
  return readLinearFile(path, operatorsFile(path, linearFile, "linear-file-wrong"));
}
