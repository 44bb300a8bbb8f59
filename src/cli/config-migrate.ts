import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { createTwoFilesPatch } from "diff";
import { readLayer } from "../config-layer.ts";
import { configPath, otherConfigPath, toldAt } from "../config.ts";
import { fileFromWorkflow } from "../config-migrate.ts";
import { isWorkflow, readWorkflow, workflowPath } from "../config-workflow.ts";
import { exitCodes } from "../problems.ts";
import { Failure, plain, type Answer } from "./output.ts";

/** Turns a workflow file of Symphony into a file of ours: shown as a difference, written when asked. */
export async function configMigrate(
  path = ".",
  options: { readonly write?: true | undefined } = {},
): Promise<Answer> {
  const { folder, source } = sourceAt(path);
  const existing = [configPath, otherConfigPath].find((one) => existsSync(join(folder, one)));
  if (existing !== undefined) return already(folder, existing, source);
  if (source === undefined)
    throw new Failure(
      exitCodes.notFound,
      `There is no ${workflowPath} in ${folder}, and no ${configPath}: nothing to migrate. \`forgehand bootstrap ${folder}\` writes a first file.`,
    );
  const text = readFileSync(source, "utf8");
  const { problems } = readWorkflow(text);
  if (problems.length > 0)
    throw new Failure(
      exitCodes.usage,
      `${source} cannot be migrated before it is right:\n${problems.map((one) => toldAt({ path: source, ...one })).join("\n")}`,
    );
  const made = fileFromWorkflow(text, basename(source));
  const target = join(folder, configPath);
  if (options.write === true) write(target, made);
  return {
    schema: "config-migrate/1",
    data: { from: source, to: target, text: made, written: options.write === true },
    text: plain(createTwoFilesPatch("/dev/null", configPath, "", made)),
    hint:
      options.write === true
        ? `${target} is written, and holds from the default branch on. forgehand no longer reads ${basename(source)}.`
        : `Nothing is written yet: \`forgehand config migrate ${path} --write\` writes ${target}.`,
  };
}

function sourceAt(path: string): { readonly folder: string; readonly source: string | undefined } {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined)
    throw new Failure(exitCodes.notFound, `There is no ${path}. Name a checkout, or a workflow file in one.`);
  if (found.isFile()) {
    if (!path.endsWith(".md"))
      throw new Failure(
        exitCodes.usage,
        `${path} is no workflow file of Symphony, which is Markdown. Name a checkout, or a workflow file in one.`,
      );
    return { folder: checkoutOf(dirname(path)), source: path };
  }
  const source = join(path, workflowPath);
  const isThere = existsSync(source) && isWorkflow(readFileSync(source, "utf8"));
  return { folder: path, source: isThere ? source : undefined };
}

/** The checkout that a folder is in; the folder itself where it is in none. */
function checkoutOf(folder: string): string {
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return relative("", at) || ".";
    if (at === dirname(at)) return folder;
  }
}

/** What is there is never overwritten. */
function already(folder: string, existing: string, source: string | undefined): Answer {
  if (source !== undefined && basename(source) !== basename(existing))
    throw new Failure(
      exitCodes.usage,
      `${join(folder, existing)} exists already and is not overwritten. Have it name the workflow file (\`workflow_file: ${basename(source)}\`), or move it away and run this again.`,
    );
  const { problems } = readLayer(readFileSync(join(folder, existing), "utf8"));
  const wrong = problems.map((one) => toldAt({ path: existing, ...one }));
  return {
    schema: "config-migrate/1",
    data: { from: existing, to: existing, written: false, problems },
    text: [`${existing} has the current format, version 1: nothing to migrate.`, ...wrong].join("\n"),
    exit: problems.length === 0 ? exitCodes.ok : exitCodes.usage,
  };
}

function write(target: string, text: string): void {
  mkdirSync(dirname(target), { recursive: true });
  // Whoever wrote it meanwhile keeps theirs.
  writeFileSync(target, text, { flag: "wx" });
}
