import type { Clock } from "../ports.ts";
import type { Agent, AgentSays, Family } from "../ports-agents.ts";
import { heldTo, type AcpManner } from "./acp-opening.ts";
import { probeAcp } from "./acp-probe.ts";
import { acpStream } from "./acp-stream.ts";
import { agentEnvironment, type AgentHost } from "./agent-environment.ts";
import { failed, type RuntimeFacts } from "./agent-failure.ts";
import { permittedTools } from "./agent-tools.ts";
import { runTurn } from "./agent-turn.ts";
import type { TestedVersions } from "./agent-versions.ts";
import { inQuarters, probeUnknown, unknownFurnisher } from "./lodging.ts";
import type { Quarters } from "./premises.ts";
import { openInput } from "./process-input.ts";
import { noUsage, totalsStore } from "./session-totals.ts";

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
  return {
    name,
    family,
    ...(tested === undefined ? {} : { tested }),
    probe: () =>
      probeUnknown(options.quarters, title, () =>
        probeAcp({
          runtime,
          args,
          env: { ...env, ...switches.read },
          own: host.own,
          sessionMeta: manner.sessionMeta,
          clock,
        }),
      ),
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
      const furnisher = unknownFurnisher(title, { ...env, ...switches[heldTo(permitted)] });
      const { quarters } = options;
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
            stream: acpStream({ runtime, order, permitted, manner, before, input, clock }),
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
