/** What the keys of a workflow file of Symphony mean here: data, and the few conversions they take. */
import type { Path } from "./config-layer.ts";

/** The groups of its front matter. */
export const sections = ["tracker", "polling", "workspace", "hooks", "agent", "codex"] as const;

/** What a value comes to; nothing when it counts as not said. */
export interface Taken {
  readonly value?: unknown;
  readonly note?: string;
}
interface Key {
  readonly path: Path;
  read(value: unknown): Taken | { readonly wrong: string };
}

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 60) ?? "nothing";

/** A number of this unit, from milliseconds; rounded up, and kept within what there is here. */
const time =
  (unitMs: number, most: number, unit: string, otherwise: string) =>
  (value: unknown): ReturnType<Key["read"]> => {
    const ms = integer(value);
    if (ms === undefined) return { wrong: `a whole number of milliseconds, and found ${shown(value)}` };
    if (ms <= 0) return { note: otherwise };
    const many = Math.min(most, Math.ceil(ms / unitMs));
    return many * unitMs === ms ? { value: many } : { value: many, note: `taken as ${many} ${unit}` };
  };

function integer(value: unknown): number | undefined {
  const found = typeof value === "string" && /^\s*-?\d{1,15}\s*$/u.test(value) ? Number(value) : value;
  return typeof found === "number" && Number.isSafeInteger(found) ? found : undefined;
}

function script(value: unknown): ReturnType<Key["read"]> {
  if (typeof value !== "string") return { wrong: `a script as text, and found ${shown(value)}` };
  return value.trim() === "" ? {} : { value: value.trimEnd() };
}

/** Filling an empty directory, which is how a workspace of Symphony begins. */
const cloning = /^[ \t]*git[ \t]+clone\b[^\n;&|]*[ \t](?:\.|"?\$\{?PWD\}?"?)[ \t]*$/gmu;
const cloned =
  "`git clone` into the workspace is left out: the worktree is there already, at the right commit";

function creating(value: unknown): ReturnType<Key["read"]> {
  const read = script(value);
  if ("wrong" in read || typeof read.value !== "string") return read;
  const left = read.value.replaceAll(cloning, "").replaceAll(/^\s*\n/gu, "");
  if (left === read.value) return read;
  // What is left may be no command at all.
  const isEmpty = left.split("\n").every((line) => /^\s*(?:#.*|set\s[^;&|]*)?$/u.test(line));
  return isEmpty ? { note: cloned } : { value: left, note: cloned };
}

function concurrency(value: unknown): ReturnType<Key["read"]> {
  const many = integer(value);
  if (many === undefined) return { wrong: `a whole number, and found ${shown(value)}` };
  if (many < 1) return { wrong: "a number from 1" };
  return many > 100 ? { value: 100, note: "at most 100 agents work in one repository" } : { value: many };
}

function model(value: unknown): ReturnType<Key["read"]> {
  return typeof value === "string" && value.trim() !== ""
    ? { value: value.trim() }
    : { wrong: `the name of a model, and found ${shown(value)}` };
}

/** The keys that mean something here, and the path each goes to. */
export const takenKeys: Readonly<Record<string, Key>> = {
  "hooks.after_create": { path: ["hooks", "after_create"], read: creating },
  "hooks.before_run": { path: ["hooks", "before_run"], read: script },
  "hooks.after_run": { path: ["hooks", "after_run"], read: script },
  "hooks.before_remove": { path: ["hooks", "before_remove"], read: script },
  "hooks.timeout_ms": {
    path: ["hooks", "timeout_seconds"],
    read: time(1_000, 3_600, "seconds", "not above zero, so the default holds"),
  },
  "agent.max_concurrent_agents": { path: ["limits", "concurrency"], read: concurrency },
  "codex.model": { path: ["runtime", "models", "codex"], read: model },
  "codex.turn_timeout_ms": {
    path: ["limits", "turn_minutes"],
    read: time(60_000, 1_440, "minutes", "not above zero, so the default holds"),
  },
  "codex.stall_timeout_ms": {
    path: ["limits", "stall_minutes"],
    read: time(60_000, 240, "minutes", "an agent that stalls is always stopped here, so the default holds"),
  },
};

const board =
  "which board, and who may read it, is the operator's: `forgehand auth linear`, `forgehand help environment`";
const host = "what runs on the host is the operator's to say, never a repository's";
/** Why each of the others has no meaning here, by the longest beginning of its name. */
export const foreignWhys: Readonly<Record<string, string>> = {
  tracker: board,
  "tracker.active_states":
    "a ticket is released by its label or by being delegated, and moves by the table of states",
  "tracker.terminal_states": "what is done or cancelled is told by the table of states",
  "tracker.required_labels": "the label that releases a ticket is `labels.agent-ready`",
  polling: "changes arrive as webhooks; the host compares notes by itself every few minutes",
  workspace: "worktrees stand below the operator's data folder",
  agent: "it has no counterpart here",
  "agent.max_turns": "how long work may go on is `limits.run_minutes` and `limits.run_usd`",
  "agent.max_retry_backoff_ms": "how long is waited between attempts is fixed",
  "agent.max_concurrent_agents_by_state": "there is one limit for all phases, `limits.concurrency`",
  codex: host,
  "codex.reasoning_effort": "effort goes by tier: `runtime.tier.build` and `runtime.tiers.codex`",
  "codex.read_timeout_ms": "an agent's start has its own fixed limit",
  server: "the dashboard is the operator's: FORGEHAND_PORT",
  worker: "other machines are the operator's: FORGEHAND_SSH_HOSTS",
  observability: "logs and the dashboard are the operator's",
};

/** Why a key of a workflow file has no meaning here. */
export function foreignWhy(key: string, value?: unknown): string {
  if (key === "tracker.api_key" && typeof value === "string" && !value.trim().startsWith("$"))
    return "a key that stands in a repository is known to all its readers: take it out, and revoke it";
  const parts = key.split(".");
  for (let length = parts.length; length > 0; length -= 1) {
    const name = parts.slice(0, length).join(".");
    if (Object.hasOwn(foreignWhys, name)) return foreignWhys[name] ?? "";
  }
  return "it has no counterpart here";
}
