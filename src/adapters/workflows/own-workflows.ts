import { existsSync, readdirSync } from "node:fs";
import { basename, extname, join } from "node:path";
import type { AnyWorkflow } from "../../engine/workflow.ts";
import { Trouble } from "../../ports.ts";
import { loadWorkflow, readDefinition } from "./file.ts";

/**
 * The workflows that the operator of this host offers to tickets: one file each, named as the label names it. Only this
 * folder of the operator's own is read: a workflow runs with everything this process may do.
 */
export async function openOwnWorkflows(
  folder: string,
  log: { error(fields: object, message: string): void },
) {
  const loaded = new Map<string, { readonly hash: string; readonly workflow: AnyWorkflow }>();
  const fileOf = (name: string): string | undefined =>
    [".tsx", ".ts", ".jsx", ".mjs"].map((end) => join(folder, name + end)).find((path) => existsSync(path));
  const names = (): readonly string[] =>
    !existsSync(folder)
      ? []
      : readdirSync(folder)
          .filter((file) => /^[\w-]+\.(?:tsx|ts|jsx|mjs)$/u.test(file))
          .map((file) => basename(file, extname(file)))
          .toSorted();
  const load = async (name: string): Promise<void> => {
    const file = names().includes(name) ? fileOf(name) : undefined;
    if (file === undefined) {
      throw new Trouble(
        "workflow-missing",
        `there is no workflow \`${name}\` in ${folder}; there is ${names().join(", ") || "none"}`,
        { permanent: true },
      );
    }
    try {
      const { hash } = readDefinition(file);
      if (loaded.get(name)?.hash !== hash) loaded.set(name, { hash, workflow: await loadWorkflow(file) });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Trouble("workflow-broken", `the workflow \`${name}\` cannot be used: ${why}`, {
        cause: error,
        permanent: true,
      });
    }
  };
  // Runs that a dead process left go on before anything asks for their workflow.
  for (const name of names())
    await load(name).catch((error: unknown) =>
      log.error({ workflow: name, error }, "a workflow cannot be loaded"),
    );
  return { names, load, named: (name: string) => loaded.get(name)?.workflow };
}
