import { isMap, LineCounter, parseDocument, type Document } from "yaml";
import { z } from "zod";
import { nearest } from "../../nearest.ts";
import type { Quarters } from "../sandboxes/premises.ts";
import type { Clock } from "../../ports.ts";
import type { Agent } from "../../ports-agents.ts";
import { placeOfOffset, placeOfPath, type Place } from "../../yaml-place.ts";
import type { AgentHost } from "./environment.ts";

/** What an agent of the file is built on. */
export interface AgentGround {
  /** What it may know of this host; of the operator's environment only these variables. */
  host(variables: readonly string[]): AgentHost;
  /** Where an agent of this name lives and works; as whom and where we do when left out. */
  readonly quartersOf?: ((runtime: string) => Quarters) | undefined;
  /** Private folder of all agents. */
  readonly stateDir: string;
  readonly clock: Clock;
}
type Builder = (name: string, ground: AgentGround) => Agent;

/** One way to speak with an agent, and what an entry that wants it may say. */
export interface Protocol {
  readonly keys: readonly string[];
  read(entry: unknown): { readonly build: Builder } | { readonly issues: readonly z.core.$ZodIssue[] };
}

/** Makes a protocol of the schema of its entries, with `protocol` among their keys, and of what builds an agent of one. */
export function protocolOf<Entry>(
  schema: z.ZodType<Entry>,
  build: (name: string, entry: Entry, ground: AgentGround) => Agent,
): Protocol {
  return {
    keys: Object.keys(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }).properties ?? {}),
    read: (entry) => {
      const parsed = schema.safeParse(entry);
      return parsed.success
        ? { build: (name, ground) => build(name, parsed.data, ground) }
        : { issues: parsed.error.issues };
    },
  };
}

/** One thing wrong in the file, at its place. */
export interface AgentsFault extends Place {
  readonly message: string;
}
export interface AgentsFile {
  /** By name; each is built when somebody has the ground for it. */
  readonly agents: ReadonlyMap<string, (ground: AgentGround) => Agent>;
  /** With any of these, none of the agents should be used: half a file is not what was meant. */
  readonly faults: readonly AgentsFault[];
}

const maxBytes = 256 * 1024;
const usual = "acp";
/** As labels and the configuration of repositories name a runtime. */
const runtimeName = /^[a-z0-9][a-z0-9-]{0,38}$/u;

/** Reads the operator's list of agents: a name each, and how to speak with what is behind it. */
export function readAgentsFile(text: string, protocols: Readonly<Record<string, Protocol>>): AgentsFile {
  const lines = new LineCounter();
  const broken = (message: string, offset = 0): AgentsFile => ({
    agents: new Map(),
    faults: [{ ...placeOfOffset(lines, offset), message }],
  });
  if (text.length > maxBytes) return broken(`the file is over ${maxBytes / 1024} KiB`);
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, merge: false });
  const [error] = document.errors;
  if (error !== undefined)
    return broken(`this is no YAML: ${error.message.split("\n", 1)[0] ?? "unreadable"}`, error.pos[0]);
  const found = plain(document);
  if (found === null) return { agents: new Map(), faults: [] };
  if (!isMap(document.contents) || !isRecord(found))
    return broken("the file must hold names with entries, such as `opencode: { use: opencode }`");
  const agents = new Map<string, (ground: AgentGround) => Agent>();
  const faults: AgentsFault[] = [];
  for (const [name, entry] of Object.entries(found)) {
    const read = readEntry(name, entry, protocols);
    if ("build" in read) agents.set(name, (ground) => read.build(name, ground));
    else
      faults.push(
        ...read.wrong.map(({ path, message }) => ({ ...placeOfPath(document, lines, path), message })),
      );
  }
  return { agents, faults: faults.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

interface Wrong {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function readEntry(
  name: string,
  entry: unknown,
  protocols: Readonly<Record<string, Protocol>>,
): { readonly build: Builder } | { readonly wrong: readonly Wrong[] } {
  const one = (path: readonly PropertyKey[], message: string) => ({ wrong: [{ path, message }] });
  if (!runtimeName.test(name)) return one([name], `\`${name}\`: a runtime is named like \`opencode\``);
  if (!isRecord(entry))
    return one([name], `\`${name}\` must hold keys with values, such as \`use: opencode\``);
  const wanted = entry["protocol"] ?? ("use" in entry ? usual : undefined);
  if (wanted !== undefined && typeof wanted !== "string")
    return one([name, "protocol"], `\`${name}.protocol\` must be one word`);
  const names = Object.keys(protocols).map((known) => `\`${known}\``);
  if (wanted === undefined)
    return one([name], `\`${name}\` names no \`protocol\`; there is ${names.join(", ")}`);
  const protocol = Object.hasOwn(protocols, wanted) ? protocols[wanted] : undefined;
  if (protocol === undefined) {
    const meant = nearest(wanted, Object.keys(protocols));
    const hint = meant === undefined ? `there is ${names.join(", ")}` : `did you mean \`${meant}\`?`;
    return one([name, "protocol"], `there is no protocol \`${wanted}\`; ${hint}`);
  }
  const read = protocol.read(entry);
  if ("build" in read) return read;
  return { wrong: read.issues.flatMap((issue) => wrongIn(name, entry, issue, protocol.keys)) };
}

function wrongIn(
  name: string,
  entry: Readonly<Record<string, unknown>>,
  issue: z.core.$ZodIssue,
  keys: readonly string[],
): readonly Wrong[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => {
      const path = [name, ...issue.path, key];
      const meant = issue.path.length === 0 ? nearest(key, keys) : undefined;
      const hint =
        meant !== undefined
          ? `did you mean \`${meant}\`?`
          : issue.path.length === 0
            ? `known here: ${keys.map((known) => `\`${known}\``).join(", ")}`
            : "take it out";
      return { path, message: `unknown key \`${path.map(String).join(".")}\`; ${hint}` };
    });
  const path = [name, ...issue.path];
  const value = issue.path.reduce<unknown>((at, key) => (isRecord(at) ? at[String(key)] : undefined), entry);
  const wants = issue.message
    .replace(/^Invalid (?:input|option|string): ?/u, "")
    .replace(/, received \w+$/u, "");
  // A value may be a secret that was put into the wrong place: its kind is enough to find it.
  const found =
    value === undefined ? "nothing is there" : `a ${Array.isArray(value) ? "list" : typeof value}`;
  return [{ path, message: `wrong value of \`${path.map(String).join(".")}\`: ${wants}; found: ${found}` }];
}

function plain(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 }) as unknown;
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
