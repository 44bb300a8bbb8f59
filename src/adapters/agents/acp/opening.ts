import type { Clock } from "../../../ports.ts";
import type { AgentOutcome, Family, McpServer, SessionId, WorkOrder } from "../../../ports-agents.ts";
import { errorCodes, initialized, protocolVersion, sessionState, type AcpError } from "./messages.ts";
import type { SessionState } from "./messages.ts";
import { failureIn } from "./outcome.ts";
import { chooseEffort, chooseMode, chooseModel, type Choice } from "./session.ts";
import type { Wire } from "./wire.ts";
import { failed, failureOf, type RuntimeFacts } from "../failure.ts";
import type { Permitted } from "../tools.ts";
import type { Seen } from "../turn.ts";
import { shortLine } from "../tool-detail.ts";

/** How this agent wants to be spoken to. */
export interface AcpManner {
  /** Named in the agents file: asked for where the agent lets one choose, else taken at the operator's word. */
  readonly model: string | undefined;
  /** The maker that the operator vouches for when the agent names no model; `unknown` when nobody does. */
  readonly vouched: Family;
  /** The same of whichever other model an order asks for. */
  readonly only: Family;
  /** The agent's own mode for an order that may write, and for one that may less; its usual one where none is given. */
  readonly modes: {
    readonly read?: string | undefined;
    readonly write?: string | undefined;
    /** In a sandbox of ours, which keeps it in by itself; the same as elsewhere where none is given. */
    readonly within?: string | undefined;
  };
  /** The way to log in that needs nobody, taken when the agent asks for one. */
  readonly authMethod: string | undefined;
  /** The agent's own settings of a session. */
  readonly sessionMeta: Readonly<Record<string, unknown>> | undefined;
}
/** One order for one agent. */
export interface AcpOrder {
  readonly runtime: RuntimeFacts;
  readonly order: WorkOrder;
  readonly permitted: Permitted;
  readonly manner: AcpManner;
  readonly clock: Clock;
}
/** Where the opening leads. */
export interface Opening {
  over(outcome: AgentOutcome): readonly Seen[];
  ready(session: SessionId, state: SessionState): readonly Seen[];
}

/** What we offer an agent: nothing. It uses files and a shell of its own, inside what its process may. */
export const hello = {
  protocolVersion,
  clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
  clientInfo: { name: "forgehand", version: "0.1.0" },
} as const;

type OpenMethod = "session/new" | "session/resume" | "session/load";

/** From the first word to a session that is ready for its prompt: new or taken up again, in its mode, on its model. */
export function openAcp(given: AcpOrder, wire: Wire, opening: Opening): void {
  const { runtime, order, manner, permitted, clock } = given;
  let canLoad = false;
  let loginTried = false;
  const refused = (error: AcpError): readonly Seen[] => opening.over(failureIn(error, runtime, clock.now()));
  const unknown = (why: string): readonly Seen[] =>
    opening.over(failureOf("session-unknown", runtime, why, clock.now()));

  function onInitialized(result: unknown): readonly Seen[] {
    const said = initialized.safeParse(result).data;
    if (said?.protocolVersion !== protocolVersion)
      return opening.over(otherVersion(said?.protocolVersion, runtime));
    const { loadSession, sessionCapabilities, mcpCapabilities } = said.agentCapabilities ?? {};
    const unheard = permitted.servers.find(({ server }) => server.is === "http")?.server.name;
    if (unheard !== undefined && mcpCapabilities?.http !== true)
      return opening.over(
        failed(
          "blocked",
          "tools-unsupported",
          `${runtime.title} reaches no servers of tools by HTTP, and \`${unheard}\` is one: take it from the order's bundle, or choose another runtime`,
        ),
      );
    canLoad = loadSession === true;
    if (order.resume === undefined) return open("session/new");
    const resume = sessionCapabilities?.resume ?? undefined;
    if (resume !== undefined) return open("session/resume");
    return canLoad ? open("session/load") : unknown("it cannot take up an earlier session");
  }

  function open(method: OpenMethod): readonly Seen[] {
    const params = {
      cwd: order.cwd,
      mcpServers: permitted.servers.map(({ server }) => serverOf(server)),
      ...(method === "session/new" ? {} : { sessionId: order.resume }),
      ...(manner.sessionMeta === undefined ? {} : { _meta: manner.sessionMeta }),
    };
    return wire.call(method, params, onSession, (error) => notOpened(method, error));
  }

  function notOpened(method: OpenMethod, error: AcpError): readonly Seen[] {
    if (error.code === errorCodes.authRequired && manner.authMethod !== undefined && !loginTried) {
      loginTried = true;
      return wire.call("authenticate", { methodId: manner.authMethod }, () => open(method), refused);
    }
    if (method === "session/new") return refused(error);
    if (method === "session/resume" && error.code === errorCodes.methodNotFound && canLoad)
      return open("session/load");
    // A trouble we know passes or takes a person; any other refusal is about the session itself.
    const failure = failureIn(error, runtime, clock.now());
    return failure.code === "agent-failed" ? unknown(error.message) : opening.over(failure);
  }

  function onSession(result: unknown): readonly Seen[] {
    const state = sessionState.safeParse(result).data ?? {};
    const session = order.resume ?? state.sessionId ?? "";
    if (session === "")
      return opening.over(failureOf("agent-failed", runtime, "it made no session", clock.now()));
    return [{ type: "session", id: session }, ...settle({ wire, opening, refused, session }, state)];
  }

  /** Mode first: an agent may offer other models in another mode. */
  function settle(talk: Talk, state: SessionState): readonly Seen[] {
    const mode = manner.modes[heldTo(permitted)];
    const onModel = (after: SessionState): readonly Seen[] => {
      const model = order.model ?? manner.model;
      return change(talk, { state: after, choice: chooseModel(after, model) }, ready, (offered) =>
        // Where nobody may choose, what the operator says it runs on is all there is.
        offered.length === 0 && model === manner.model
          ? undefined
          : failureOf("model-unknown", runtime, `${model} is not among ${listed(offered)}`, clock.now()),
      );
    };
    const ready = (after: SessionState): readonly Seen[] =>
      change(
        talk,
        { state: after, choice: chooseEffort(after, order.effort) },
        (settled) => opening.ready(talk.session, settled),
        () => undefined,
      );
    return change(talk, { state, choice: chooseMode(state, mode) }, onModel, (offered) =>
      failed(
        "blocked",
        "mode-unknown",
        `${runtime.title} has no mode \`${mode}\` for this order; it offers ${listed(offered)}: correct \`modes\` in the agents file`,
      ),
    );
  }

  wire.call("initialize", hello, onInitialized, refused);
}

/** Whoever may not do all a writer does asks for leave like a reader; what is left to it is then given. */
export const heldTo = ({ own }: Permitted): "read" | "write" =>
  own.has("edit") && own.has("shell") ? "write" : "read";

/** A server of tools as the protocol spells it. */
function serverOf(server: McpServer): object {
  const pairs = (values: Readonly<Record<string, string>>) =>
    Object.entries(values).map(([name, value]) => ({ name, value }));
  const { name } = server;
  return server.is === "process"
    ? { name, command: server.command, args: server.args, env: pairs(server.env) }
    : { type: "http", name, url: server.url, headers: pairs(server.headers) };
}

interface Talk {
  readonly wire: Wire;
  readonly opening: Opening;
  readonly session: SessionId;
  readonly refused: (error: AcpError) => readonly Seen[];
}

/** Changes what is to be changed, then goes on with what the session has become. */
function change(
  { wire, opening, session, refused }: Talk,
  { state, choice }: { readonly state: SessionState; readonly choice: Choice },
  next: (state: SessionState) => readonly Seen[],
  fault: (offered: readonly string[]) => AgentOutcome | undefined,
): readonly Seen[] {
  if (choice.is === "as-it-is") return next(state);
  if (choice.is === "not-offered") {
    const wrong = fault(choice.offered);
    return wrong === undefined ? next(state) : opening.over(wrong);
  }
  const { method, params } = choice.setting;
  const changed = (result: unknown): readonly Seen[] => {
    const configOptions = sessionState.safeParse(result).data?.configOptions ?? state.configOptions;
    const models = { ...state.models, currentModelId: params["modelId"] ?? state.models?.currentModelId };
    return next({ ...state, configOptions, models });
  };
  return wire.call(method, { sessionId: session, ...params }, changed, refused);
}

/** A failure of every order to this agent, until somebody installs another release. */
export const otherVersion = (version: number | undefined, { title, install }: RuntimeFacts) =>
  failed(
    "blocked",
    "protocol-version",
    `${title} speaks version ${version ?? "?"} of the Agent Client Protocol and forgehand version ${protocolVersion}: install another release with \`${install}\``,
  );

/** Named of a long list. */
const mostNamed = 12;
function listed(names: readonly string[]): string {
  if (names.length === 0) return "nothing";
  const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : "";
  return `${names.slice(0, mostNamed).map(shortLine).join(", ")}${more}`;
}
