import { spawn } from "node:child_process";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { exitCodes } from "../problems.ts";
import { placesOf, settingsFile } from "../places.ts";
import { Failure } from "./output.ts";
import type { Machine } from "./service.ts";

const manifest = z.object({ version: z.string() });
const manifestPath = fileURLToPath(new URL("../../package.json", import.meta.url));

/** This very host, seen from the command line. */
export function thisMachine(): Machine {
  const home = homedir();
  return {
    host: {
      platform: process.platform,
      home,
      uid: process.getuid?.() ?? -1,
      folder: process.cwd(),
      node: process.execPath,
      program: realpathSync(process.argv[1] ?? fileURLToPath(import.meta.url)),
      searchPath: process.env["PATH"] ?? "",
      version: manifest.parse(JSON.parse(readFileSync(manifestPath, "utf8"))).version,
      settings: settingsFile(placesOf(process.env, home)),
      folders: foldersOf(process.env),
    },
    read: (path) => unlessAbsent(() => readFileSync(path, "utf8")),
    write: (path, text) => {
      mkdirSync(dirname(path), { recursive: true });
      const beside = `${path}.${process.pid}.new`;
      writeFileSync(beside, text, { mode: 0o644 });
      renameSync(beside, path);
    },
    remove: (path) => rmSync(path, { force: true }),
    list: (folder) => unlessAbsent(() => readdirSync(folder)) ?? [],
    run: (argv) => start(argv, "capture"),
    show: async (argv) => (await start(argv, "hand over")).code,
    drainMinutes: process.env["FORGEHAND_DRAIN_MINUTES"],
  };
}

/** A service manager has an environment of its own, so a service would look in the usual folders. */
const foldersOf = (env: NodeJS.ProcessEnv): Readonly<Record<string, string>> =>
  Object.fromEntries(
    ["XDG_CONFIG_HOME", "XDG_STATE_HOME"].flatMap((name) => {
      const path = env[name];
      return path?.startsWith("/") === true ? [[name, path] as const] : [];
    }),
  );

function unlessAbsent<Result>(look: () => Result): Result | undefined {
  try {
    return look();
  } catch (error) {
    // What only root may read is nothing to whoever only looks; root itself, who installs, sees it.
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return undefined;
    throw error;
  }
}

/** What a manager says is kept up to here. */
const mostSaid = 64 * 1024;

function start(
  [file, ...args]: readonly [string, ...string[]],
  how: "capture" | "hand over",
): Promise<{ readonly code: number; readonly out: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: how === "capture" ? ["ignore", "pipe", "pipe"] : "inherit",
    });
    let out = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (bytes: Buffer) => {
        if (out.length < mostSaid) out += bytes.toString("utf8");
      });
    }
    child.once("error", (cause) =>
      reject(
        new Failure(
          exitCodes.usage,
          `\`${file}\` cannot be run (${cause.message}): is this host managed by it? \`--kind\` names another service`,
          { cause },
        ),
      ),
    );
    child.once("close", (code) => resolve({ code: code ?? 1, out }));
  });
}
