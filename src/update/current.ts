/** Which of the installed versions runs: one link, changed by one rename. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { versionPattern } from "./state.ts";

const linkIn = (folder: string): string => join(folder, "current");

/** The version the link names; undefined where the launcher's own program runs. */
export function currentVersion(folder: string): string | undefined {
  try {
    const version = readlinkSync(linkIn(folder));
    return versionPattern.test(version) ? version : undefined;
  } catch {
    return undefined;
  }
}

export function switchTo(folder: string, version: string | undefined): void {
  if (version === undefined) {
    rmSync(linkIn(folder), { force: true });
    return;
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `.current-${process.pid}`);
  rmSync(draft, { force: true });
  symlinkSync(version, draft);
  renameSync(draft, linkIn(folder));
}

const packageSchema = z.object({
  name: z.literal("forgehand"),
  version: z.string(),
  bin: z.union([z.string(), z.object({ forgehand: z.string() })]),
});

/** The program of an installed version; undefined where it is not installed, or is something else. */
export function programOf(folder: string, place: string, version = place): string | undefined {
  const home = join(folder, place, "node_modules", "forgehand");
  try {
    const told = packageSchema.parse(JSON.parse(readFileSync(join(home, "package.json"), "utf8")));
    const program = join(home, typeof told.bin === "string" ? told.bin : told.bin.forgehand);
    const isHere = program.startsWith(`${home}/`) && existsSync(program) && lstatSync(program).isFile();
    return told.version === version && isHere ? program : undefined;
  } catch {
    return undefined;
  }
}
