import { spawnSync } from "node:child_process";
import { terminal, type Answer } from "./output.ts";

/** Shows a long text in the person's pager where stdout is a terminal; what is left to print stays in the answer. */
export async function printPaged(
  answer: Answer,
  { json }: { readonly json?: true | undefined },
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Answer> {
  if (json === true || !terminal.isTty) return answer;
  const pager = env["GIT_PAGER"] ?? env["PAGER"] ?? "less -FRX";
  if (pager === "" || pager === "cat") return answer;
  const shown = spawnSync("/bin/sh", ["-c", pager], {
    input: answer.text,
    stdio: ["pipe", "inherit", "inherit"],
  });
  return shown.status === 0 ? { ...answer, text: "" } : answer;
}
