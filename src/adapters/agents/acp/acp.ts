import type { Clock } from "../../../ports.ts";
import type { Agent, AgentSays, Family, WorkOrder } from "../../../ports-agents.ts";
import { heldTo, type AcpManner } from "./opening.ts";
import { probeAcp } from "./probe.ts";
import { acpStream } from "./stream.ts";
import { agentEnvironment, type AgentHost } from "../environment.ts";
import { failed, type RuntimeFacts } from "../failure.ts";
import { permittedTools } from "../tools.ts";
import { runTurn } from "../turn.ts";
import type { TestedVersions } from "../versions.ts";
import {
  inQuarters,
  inSpareHome,
  unknownFurnisher,
  type Furnisher,
  type Lodged,
} from "../../sandboxes/lodging.ts";
import type { Quarters } from "../../sandboxes/premises.ts";
import { openInput } from "../../processes/process-input.ts";
import { noUsage, totalsStore } from "../session-totals.ts";

export interface AcpOptions {
  /** Of the runtime, as labels and configuration name it. */
  readonly name: string;
  /** The family it usually runs on; `unknown` where it may be any. */
  readonly family: Family;
  readonly title: string;
  readonly command: readonly [binary: string, ...args: string[]];
  readonly install: string;
  readonly login: string;
  /** Its own switches, said in its environment beside what is passed through. */
  readonly switches: Readonly<Record<"always" | "read" | "write", Readonly<Record<string, string>>>>;
  readonly manner: AcpManner;
  /** What it finds in a home of its own; only its environment when left out. */
  readonly furnish?: (env: Readonly<Record<string, string>>, model: string | undefined) => Furnisher;
  readonly tested: TestedVersions | undefined;
  readonly host: AgentHost;
  /** Private folder in which the counts of each session outlive this process. */
  readonly stateDir: string;
  readonly clock: Clock;
  /** Where it lives and works; as whom and where we do when left out. */
  readonly quarters?: Quarters | undefined;
}

/** Any agent that speaks the Agent Client Protocol: one process and one conversation per order. */
export function acpAgent(options: AcpOptions): Agent {
  const { name, family, title, command, install, login, switches, manner, tested, host, clock } = options;
  const [binary, ...args] = command;
  const runtime: RuntimeFacts = { title, binary, install, login };
  const env = { ...agentEnvironment(host), ...switches.always };
  const totals = totalsStore(options.stateDir, `acp-${name}`);
  const { quarters, furnish = (own) => unknownFurnisher(title, own) } = options;
  const furnisherFor = (access: "read" | "write", model: string | undefined): Furnisher =>
    furnish({ ...env, ...switches[access] }, model ?? manner.model);
  return {
    name,
    family,
    ...(tested === undefined ? {} : { tested }),
    probe: async () => {
      const shake = (own: Readonly<Record<string, string>>) =>
        probeAcp({ runtime, args, env: own, own: host.own, sessionMeta: manner.sessionMeta, clock });
      if (quarters === undefined) return await shake({ ...env, ...switches.read });
      const furnisher = furnisherFor("read", undefined);
      const found = await inSpareHome(quarters, name, furnisher, clock, shake).catch((error: unknown) => ({
        found: true,
        version: undefined,
        why: `no place could be made to ask ${title} in: ${error instanceof Error ? error.message : String(error)}`,
        problem: "unusable" as const,
      }));
      if (quarters.network !== "model" || !found.found || found.problem === "unusable") return found;
      // There its login is not in its home: what counts is a key that can be added.
      return await furnisher.upstream().then(
        () => ({ found: true, version: found.version, why: undefined }),
        (error: unknown) => ({
          found: true,
          version: found.version,
          why: error instanceof Error ? error.message : String(error),
          problem: "unusable" as const,
        }),
      );
    },
    work: async function* (order, signal): AsyncGenerator<AgentSays> {
      const permitted = permittedTools(order);
      const narrowed = permitted.servers.find(({ only, not }) => only !== undefined || not.length > 0);
      if (narrowed !== undefined)
        return yield { type: "result", outcome: notNarrowed(narrowed.server.name, title) };
      if (!permitted.own.has("read") || !permitted.own.has("search"))
        return yield { type: "result", outcome: notBlinded(title) };
      const input = openInput();
      const before =
        order.resume === undefined
          ? { reported: noUsage, estimated: noUsage }
          : await totals.read(order.resume);
      const furnisher = furnisherFor(heldTo(permitted), order.model);
      yield* inQuarters(quarters, order, { ...runtime, name }, furnisher, clock, (place) =>
        runTurn(
          {
            runtime,
            order,
            process: {
              file: binary,
              args,
              env: place?.env ?? { ...env, ...switches[heldTo(permitted)] },
              input,
            },
            place,
            stream: acpStream({
              runtime,
              order,
              permitted,
              manner: mannerIn(place, manner, order),
              before,
              input,
              clock,
            }),
            // The stream adds to what was known before: a new session begins at nothing, whatever its id was used for.
            totals: { ...totals, read: async () => before },
            clock,
            priced: "by-us",
          },
          signal,
        ),
      );
    },
  };
}

/**
 * Where a sandbox of ours keeps the agent in, one of its own would only fail. Who may write there by the place, but not by
 * the order, goes on asking for leave.
 */
function mannerIn(place: Lodged | undefined, manner: AcpManner, order: WorkOrder): AcpManner {
  const { within } = manner.modes;
  const isKeptIn = place !== undefined && place.sandbox.name !== "local" && place.sandbox.name !== "ssh";
  const isAsPlaced = order.access === "read" || heldTo(permittedTools(order)) === "write";
  if (within === undefined || !isKeptIn || !isAsPlaced) return manner;
  return { ...manner, modes: { read: within, write: within } };
}
/** Few ask for leave before they look at the worktree. */
const notBlinded = (title: string) =>
  failed(
    "blocked",
    "tools-unsupported",
    `${title} cannot be kept from reading and searching the worktree: change \`runtime.tools\`, or choose another runtime`,
  );

/** The protocol gives a server whole or not at all. */
const notNarrowed = (server: string, title: string) =>
  failed(
    "blocked",
    "tools-unsupported",
    `${title} cannot be held to some tools of the server \`${server}\`: allow or deny \`mcp:${server}\` as a whole, or choose another runtime`,
  );
