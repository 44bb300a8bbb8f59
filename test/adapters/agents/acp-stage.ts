import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { acpAgent, type AcpOptions } from "../../../src/adapters/agents/acp/acp.ts";
import { systemClock } from "../../../src/adapters/clock.ts";
import type { AgentSays, WorkOrder } from "../../../src/ports-agents.ts";
import { orderIn } from "./turns.ts";

const program = fileURLToPath(new URL("../../fixtures/acp-agent.mjs", import.meta.url));
type Step = Readonly<Record<string, unknown>>;

/** What the scripted agent is and does; see test/fixtures/acp-agent.mjs. */
export interface Part {
  readonly hello?: object;
  readonly session?: object;
  readonly steps?: readonly Step[];
  readonly answer?: object;
  readonly errors?: Readonly<Record<string, object>>;
  readonly promptError?: object;
  readonly silentAt?: string;
  readonly needsLogin?: boolean;
  readonly stays?: boolean;
  readonly stderr?: string;
  readonly exit?: number;
  readonly exitAtOnce?: number;
}
/** One line that the agent heard, or what it noted of itself. */
export interface Note {
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly leave?: { readonly result?: { readonly outcome?: object } };
  readonly answer?: { readonly error?: { readonly code: number } };
}

const plainManner: AcpOptions["manner"] = {
  model: undefined,
  vouched: "unknown",
  only: "unknown",
  modes: {},
  authMethod: undefined,
  sessionMeta: undefined,
};

/** A folder with a scripted agent in it, and how to give it orders. */
export function acpStage() {
  const folder = mkdtempSync(join(tmpdir(), "acp-"));
  const at = (...names: readonly string[]): string => join(folder, ...names);
  for (const name of ["tree", "home", "state"]) mkdirSync(at(name));
  writeFileSync(at("agent"), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
  chmodSync(at("agent"), 0o755);
  writeFileSync(at("notes"), "");
  const script = (part: Part): void =>
    writeFileSync(at("part.json"), JSON.stringify({ notes: at("notes"), ...part }));
  script({});
  return {
    at,
    script,
    agent: ({
      manner,
      own = {},
      ...change
    }: Partial<Omit<AcpOptions, "manner">> & {
      readonly manner?: Partial<AcpOptions["manner"]>;
      readonly own?: Readonly<Record<string, string>>;
    } = {}) =>
      acpAgent({
        name: "house",
        family: "unknown",
        title: "House",
        command: [at("agent"), "--acp"],
        install: "get house",
        login: "run `house login`",
        switches: { always: {}, read: { HOUSE_MAY: "look" }, write: { HOUSE_MAY: "write" } },
        manner: { ...plainManner, ...manner },
        tested: undefined,
        host: {
          home: at("home"),
          searchPath: "/usr/bin:/bin",
          tmp: tmpdir(),
          own: { FAKE_ACP: at("part.json"), ...own },
        },
        stateDir: at("state"),
        clock: systemClock(),
        ...change,
      }),
    order: (change: Partial<WorkOrder> = {}): WorkOrder => orderIn(at("tree"), change),
    notes: (): readonly Note[] =>
      readFileSync(at("notes"), "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Note),
    /** Parameters of every call of this method. */
    heard(method: string): readonly Readonly<Record<string, unknown>>[] {
      return this.notes().flatMap((note) => (note.method === method ? [note.params ?? {}] : []));
    },
    remove: (): void => rmSync(folder, { recursive: true, force: true }),
  };
}

export const texts = (says: readonly AgentSays[]) =>
  says.flatMap((one) => (one.type === "text" ? [one.text] : []));
export const tools = (says: readonly AgentSays[]) =>
  says.flatMap((one) => (one.type === "tool" ? [`${one.name} ${one.detail}`] : []));
