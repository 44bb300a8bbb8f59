import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { z } from "zod";
import type { Provider } from "./entry.ts";

/** A package of the AI SDK that was asked for and is not installed. */
export class PackageMissing extends Error {
  constructor(missing: string, options: { readonly cause: unknown }) {
    super(`the package \`${missing}\` is not installed: ${installCommand(missing)}`, options);
    this.name = "PackageMissing";
  }
}

const loaders = {
  ai: () => import("ai"),
  "@ai-sdk/anthropic": () => import("@ai-sdk/anthropic"),
  "@ai-sdk/openai": () => import("@ai-sdk/openai"),
  "@ai-sdk/google": () => import("@ai-sdk/google"),
  "@ai-sdk/openai-compatible": () => import("@ai-sdk/openai-compatible"),
  "@ai-sdk/mcp": () => import("@ai-sdk/mcp"),
};
export type PackageName = keyof typeof loaders;
type Modules = { readonly [Name in PackageName]: Awaited<ReturnType<(typeof loaders)[Name]>> };
export type Load = <Name extends PackageName>(name: Name) => Promise<Modules[Name]>;

/** The lines of versions these adapters are tested with. */
const lines: Readonly<Record<PackageName, number>> = {
  ai: 7,
  "@ai-sdk/anthropic": 4,
  "@ai-sdk/openai": 4,
  "@ai-sdk/google": 4,
  "@ai-sdk/openai-compatible": 3,
  "@ai-sdk/mcp": 2,
};

/** What a provider needs beside `ai`. */
export const packageOf = (provider: Provider): PackageName => `@ai-sdk/${provider}`;

/** What to type. */
export const installCommand = (...names: readonly string[]): string =>
  `install it beside forgehand with \`npm install -g ${names
    .map((name) => (name in lines ? `${name}@${lines[name as PackageName]}` : name))
    .join(" ")}\`, without \`-g\` where forgehand belongs to a project`;

/** Imports one of the optional packages, when an agent first needs it and never before. */
export const loadPackage: Load = async <Name extends PackageName>(name: Name) => {
  try {
    // The key of the record says which module it is; the compiler does not follow that through the call.
    return (await loaders[name]()) as Modules[Name];
  } catch (error) {
    if (isMissing(error)) throw new PackageMissing(name, { cause: error });
    throw error;
  }
};

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";

const manifest = z.looseObject({ version: z.string() });

/** The installed version of a package, without loading it; undefined when it is not there. */
export async function versionOf(name: PackageName): Promise<string | undefined> {
  try {
    const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return manifest.parse(JSON.parse(await readFile(path, "utf8"))).version;
  } catch {
    return undefined;
  }
}

/** Whether this version is of the line that is tested. */
export const isTested = (name: PackageName, version: string): boolean =>
  Number.parseInt(version, 10) === lines[name];
