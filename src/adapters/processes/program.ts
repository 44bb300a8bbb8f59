import { accessSync, constants, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";

/** Where a program of this name lies, as a shell in this folder would find it; undefined when it is not there to be run. */
export function programAt(name: string, searchPath: string | undefined, cwd = "/"): string | undefined {
  const places = name.includes("/")
    ? [resolve(cwd, name)]
    : (searchPath ?? "")
        .split(":")
        .filter((folder) => isAbsolute(folder))
        .map((folder) => join(folder, name));
  return places.find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
