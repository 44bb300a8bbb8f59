import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { homedir } from "node:os";
import type { Jiti } from "jiti";
import type { Definition } from "../../engine/definition.ts";
import type { AnyWorkflow } from "../../engine/workflow.ts";

/** The file is not there, cannot be read as TypeScript, or holds no workflow. */
export class NoWorkflow extends Error {
  readonly is: "missing" | "broken" | "empty";
  constructor(is: NoWorkflow["is"], message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "NoWorkflow";
    this.is = is;
  }
}

/** What was made of a file's text is kept for the next command, in the user's own cache, by the text itself. */
const cacheFolder = (): string =>
  join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "forgehand", "workflows");

/**
 * Loads a workflow file (`.tsx`, `.ts`, `.mjs`) without a build: its default export. `forgehand` and `zod` are ours,
 * whatever is installed beside the file, so that a file alone is enough.
 */
export async function loadWorkflow(file: string): Promise<AnyWorkflow> {
  const path = resolve(file);
  if (!existsSync(path)) throw new NoWorkflow("missing", `there is no file ${path}`);
  return await loadWith(path, (jiti) => jiti.import(path, { default: true }));
}

/** Loads the workflow that a file held once; what it imports is taken as it is now. */
export async function loadText(file: string, text: string): Promise<AnyWorkflow> {
  const path = resolve(file);
  return await loadWith(path, async (jiti) => {
    const found = await jiti.evalModule(text, { filename: path, ext: extname(path), async: true });
    return (found as { readonly default?: unknown }).default ?? found;
  });
}

async function loadWith(path: string, load: (jiti: Jiti) => Promise<unknown>): Promise<AnyWorkflow> {
  const [index, jsx, zod, { createJiti }] = await Promise.all([
    // A workflow file gets the very engine of its runner.
    import("../../engine/index.ts"),
    import("../../engine/jsx-runtime.ts"),
    import("zod"),
    import("jiti"),
  ]);
  const jiti = createJiti(import.meta.url, {
    moduleCache: false,
    fsCache: cacheFolder(),
    interopDefault: true,
    jsx: { runtime: "automatic", importSource: "forgehand" },
    virtualModules: {
      "forgehand/jsx-runtime": jsx,
      "forgehand/jsx-dev-runtime": jsx,
      forgehand: index,
      zod,
    },
  });
  let found: unknown;
  try {
    found = await load(jiti);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new NoWorkflow("broken", `${path} cannot be loaded: ${why}`, { cause: error });
  }
  if (isWorkflow(found)) return found;
  throw new NoWorkflow(
    "empty",
    `${path} has no workflow as its default export: \`export default workflow({ name, … })\``,
  );
}

function isWorkflow(found: unknown): found is AnyWorkflow {
  if (typeof found !== "object" || found === null) return false;
  const { name, input, output, render, result } = found as Partial<Record<keyof AnyWorkflow, unknown>>;
  return (
    typeof name === "string" &&
    [input, output].every(
      (schema) => typeof schema === "object" && schema !== null && "safeParse" in schema,
    ) &&
    [render, result].every((part) => typeof part === "function")
  );
}

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The file as it is now, with what it imports from beside it. Throws when it is not there. */
export function readDefinition(file: string): Definition {
  const path = resolve(file);
  const text = readFileSync(path, "utf8");
  const imports = Object.fromEntries(importsOf(path, text, new Set([path])));
  return { hash: hashOf(JSON.stringify([text, imports])), text, imports };
}

const importedNames = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*["'`](\.{1,2}\/[^"'`]+)["'`]/gu;
const kinds = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json"];
const endings = ["", ...kinds, ...kinds.map((end) => `/index${end}`)];

/** The paths that an import by this name may mean; TypeScript is imported by the name it is compiled to. */
const pathsOf = (name: string): readonly string[] => [
  ...endings.map((end) => `${name}${end}`),
  name.replace(/\.([mc]?)js(x?)$/u, ".$1ts$2"),
  name.replace(/\.js$/u, ".tsx"),
];

/** Every file that this one imports by a path of its own, and they in turn. */
function importsOf(path: string, text: string, seen: Set<string>): readonly (readonly [string, string])[] {
  const named = [...text.matchAll(importedNames)].map(([, name = ""]) => join(dirname(path), name));
  return named.flatMap((name) => {
    const found = pathsOf(name).find((one) => existsSync(one) && statSync(one).isFile());
    if (found === undefined || seen.has(found)) return [];
    seen.add(found);
    const inside = readFileSync(found, "utf8");
    return [[found, hashOf(inside)] as const, ...importsOf(found, inside, seen)];
  });
}
