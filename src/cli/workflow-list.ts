import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { AnyWorkflow } from "../engine/index.ts";
import { exitCodes } from "../problems.ts";
import { Failure, oneLine, table, terminal, type Answer } from "./output.ts";
import { loadWorkflow } from "../adapters/workflows/file.ts";

/** Where the workflows of a project lie, unless a folder is named. */
const usual = [".forgehand/workflows", "workflows"];

/** The workflow files of a folder with what each takes; one that cannot be loaded says why. */
export async function listFiles(folder: string | undefined): Promise<Answer> {
  const folders = folder === undefined ? usual.filter((name) => existsSync(name)) : [folder];
  if (folder !== undefined && !existsSync(folder))
    throw new Failure(exitCodes.notFound, `there is no folder ${folder}`);
  const files = folders.flatMap((name) =>
    readdirSync(name, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(?:tsx|jsx)$/u.test(file) && !file.includes("node_modules"))
      .toSorted()
      .map((file) => join(name, file)),
  );
  const rows = await Promise.all(files.map(shownOf));
  return {
    schema: "workflow-ls/1",
    data: rows,
    text:
      rows.length === 0
        ? `no workflow files in ${folders.join(" or ") || usual.join(" or ")}; name a folder: \`forgehand workflow ls DIR\``
        : table(
            ["WORKFLOW", "FILE", "TAKES"],
            rows.map((row) => [row.name ?? "-", row.file, row.wrong ?? row.takes.join(", ")]),
            terminal.isTty,
          ),
  };
}

interface Shown {
  readonly file: string;
  readonly name: string | null;
  readonly takes: readonly string[];
  readonly wrong: string | null;
}
async function shownOf(file: string): Promise<Shown> {
  try {
    const workflow = await loadWorkflow(file);
    return { file, name: workflow.name, takes: takesOf(workflow), wrong: null };
  } catch (error) {
    const why = error instanceof Error ? oneLine(error.message) : String(error);
    return { file, name: null, takes: [], wrong: why };
  }
}

/** The fields of its input; those with a `?` may be left out. */
function takesOf({ input }: AnyWorkflow): readonly string[] {
  const schema = z.toJSONSchema(input, { io: "input", unrepresentable: "any" });
  const required = new Set(schema.required ?? []);
  return Object.keys(schema.properties ?? {}).map((name) => (required.has(name) ? name : `${name}?`));
}
