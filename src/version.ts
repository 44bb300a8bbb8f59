import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

interface Package {
  readonly name?: string;
  readonly version?: string;
}

/** The version of this forgehand, as the package it lies in says; from the sources, and from what is built of them. */
export function ownVersion(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const found = packageIn(folder);
    if (found?.name === "forgehand" && found.version !== undefined) return found.version;
    if (dirname(folder) === folder) throw new Error("forgehand lies in no package of its name");
    folder = dirname(folder);
  }
}

function packageIn(folder: string): Package | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Package;
  } catch {
    return undefined;
  }
}
