/** `forgehand observability up|down`: files for a Grafana with all of forgehand's figures and traces in it. */
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { exitCodes } from "../problems.ts";
import { dataFolders, ports, stackFiles, tokenFile, type StackOptions } from "../telemetry/stack.ts";
import { ownSettingsFile } from "./own-environment.ts";
import { ownSettings } from "./own-settings.ts";
import { Failure, type Answer } from "./output.ts";

export interface ObservabilityOptions {
  readonly dir?: string | undefined;
  readonly force?: true | undefined;
  readonly network?: StackOptions["network"] | undefined;
}
const usualFolder = "forgehand-observability";
/** What we wrote, by its hash, so that what somebody changed since is left alone. */
const recordFile = ".forgehand.json";
const Hashes = z.record(z.string(), z.string());

type Written = "written" | "same" | "updated" | "kept";

export function up(options: ObservabilityOptions): Answer {
  const folder = resolve(options.dir ?? usualFolder);
  const { host, port } = ownSettings();
  const files = stackFiles({
    forgehand: { host, port },
    network: options.network ?? (process.platform === "linux" ? "host" : "bridge"),
    user: process.getuid === undefined ? undefined : { uid: process.getuid(), gid: process.getgid?.() ?? 0 },
  });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const one of dataFolders) mkdirSync(join(folder, one), { recursive: true });
  const record = recordIn(folder);
  const outcome: Record<string, Written> = {};
  for (const [path, text] of Object.entries(files)) {
    outcome[path] = put(folder, path, { text, before: record[path], isForced: options.force === true });
    if (outcome[path] !== "kept") record[path] = hashOf(text);
  }
  writeFileSync(join(folder, recordFile), `${JSON.stringify(record, null, 2)}\n`);
  const token = join(folder, tokenFile);
  const isNew = makeToken(token);
  const settings = {
    FORGEHAND_METRICS_TOKEN_FILE: token,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${ports.otlp}`,
  };
  const kept = Object.entries(outcome).flatMap(([path, is]) => (is === "kept" ? [path] : []));
  const start = `docker compose --project-directory ${shell(folder)} up -d`;
  const grafana = `http://127.0.0.1:${ports.grafana}`;
  return {
    schema: "observability-up/1",
    data: { folder, files: outcome, token, tokenIsNew: isNew, settings, start, grafana },
    text: [
      `In ${folder}:`,
      ...Object.entries({ ...outcome, [tokenFile]: isNew ? "written" : "same" }).map(
        ([path, is]) => `  ${words[is as Written].padEnd(9)} ${path}`,
      ),
      "",
      `1. These lines into ${ownSettingsFile()} (a token in a file is read, never shown), then restart \`forgehand up\`:`,
      ...Object.entries(settings).map(([name, value]) => `   ${name}=${value}`),
      `2. ${start}`,
      `3. ${grafana}: name and password are admin at first, and Grafana asks for another.`,
      "",
    ].join("\n"),
    ...(kept.length === 0
      ? {}
      : { hint: `${kept.join(", ")}: changed by you, so left alone. --force writes over what you changed.` }),
  };
}
const words: Readonly<Record<Written, string>> = {
  written: "written",
  same: "as it was",
  updated: "updated",
  kept: "KEPT",
};

/** Takes nothing away: only tells how. */
export function down(options: ObservabilityOptions): Answer {
  const folder = resolve(options.dir ?? usualFolder);
  if (textAt(join(folder, recordFile)) === undefined)
    throw new Failure(
      exitCodes.usage,
      `nothing of \`forgehand observability up\` is in ${folder}: name its folder with --dir`,
    );
  const stop = `docker compose --project-directory ${shell(folder)} down`;
  const settings = ["FORGEHAND_METRICS_TOKEN_FILE", "OTEL_EXPORTER_OTLP_ENDPOINT"];
  return {
    schema: "observability-down/1",
    data: { folder, stop, settings },
    text: [
      `1. ${stop}`,
      `2. Take ${settings.join(" and ")} out of ${ownSettingsFile()}, then restart \`forgehand up\`.`,
      `3. What was measured stays in ${join(folder, "data")} until you delete it.`,
      "",
    ].join("\n"),
  };
}

function put(
  folder: string,
  path: string,
  {
    text,
    before,
    isForced,
  }: { readonly text: string; readonly before: string | undefined; readonly isForced: boolean },
): Written {
  const file = join(folder, path);
  const now = textAt(file);
  if (now === text) return "same";
  if (now !== undefined && hashOf(now) !== before && !isForced) return "kept";
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return now === undefined ? "written" : "updated";
}

/** 256 bits, for its owner alone; one that is there stays. */
function makeToken(path: string): boolean {
  const there = textAt(path);
  if (there !== undefined && there.trim() !== "") return false;
  writeFileSync(path, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
  return true;
}

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

function recordIn(folder: string): Record<string, string> {
  const text = textAt(join(folder, recordFile));
  try {
    return text === undefined ? {} : { ...Hashes.parse(JSON.parse(text)) };
  } catch {
    // Whatever it says, it does not say that a file is as we left it: all of them are left alone.
    return {};
  }
}

function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR"))
      return undefined;
    throw cause;
  }
}

const shell = (path: string): string =>
  /^[\w./-]+$/u.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
