import { z } from "zod";
import type { Clock } from "../../ports.ts";
import type { AgentOutcome, Steering, WorkOrder } from "../../ports-agents.ts";
import { failed, type RuntimeFacts } from "./failure.ts";
import type { AgentStream, Seen } from "./turn.ts";
import { codexAppStream } from "./codex-app-stream.ts";
import type { CodexSandbox } from "./codex-tools.ts";
import { openInput, type OpenInput } from "../processes/process-input.ts";

const packet = z.object({
  id: z.union([z.number(), z.string()]).optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string().catch("") }).nullish(),
});
type Packet = z.infer<typeof packet>;

const opened = z.object({
  thread: z.object({ id: z.string().min(1) }),
  model: z.string().optional().catch(undefined),
  sandbox: z.object({ type: z.string() }).optional().catch(undefined),
  approvalPolicy: z.unknown().optional(),
});
const begun = z.object({ turn: z.object({ id: z.string() }) });

/** As a thread tells of its sandbox. */
const sandboxTypes = {
  "workspace-write": "workspaceWrite",
  "read-only": "readOnly",
  "danger-full-access": "dangerFullAccess",
} as const;

type Reply = { readonly result: unknown } | { readonly error: string };

export interface CodexConversation extends AgentStream, Steering {
  readonly input: OpenInput;
  /** Nothing more will be answered. */
  close(): void;
}

interface Requests {
  tell(what: object): void;
  /** `then` hears the answer once, or that there will be none. */
  ask(method: string, params: object, then: (reply: Reply) => readonly Seen[]): void;
  answered(said: Packet): readonly Seen[];
  close(): void;
}

function requests(input: OpenInput): Requests {
  const waiting = new Map<number, (reply: Reply) => readonly Seen[]>();
  let asked = 0;
  let isClosed = false;
  const tell = (what: object): void => input.say(JSON.stringify({ jsonrpc: "2.0", ...what }));
  return {
    tell,
    ask: (method, params, then) => {
      if (isClosed) return void then({ error: "the process is gone" });
      asked += 1;
      waiting.set(asked, then);
      tell({ id: asked, method, params });
    },
    answered: ({ id, result, error }) => {
      const then = typeof id === "number" ? waiting.get(id) : undefined;
      if (typeof id === "number") waiting.delete(id);
      return then?.(error === undefined || error === null ? { result } : { error: error.message }) ?? [];
    },
    close: () => {
      isClosed = true;
      input.end();
      for (const then of waiting.values()) then({ error: "the process is gone" });
      waiting.clear();
    },
  };
}

interface Order {
  readonly order: WorkOrder;
  readonly sandbox: CodexSandbox;
  readonly runtime: RuntimeFacts;
  readonly clock: Clock;
}

/** One turn of one thread, talked through with `codex app-server`: every line it prints is read, and answered here. */
export function codexConversation(options: Order): CodexConversation {
  const { order, runtime } = options;
  const stream = codexAppStream(runtime, options.clock);
  const input = openInput();
  const { tell, ask, answered, close } = requests(input);
  const opening = openTurn(options, { stream, input, tell, ask });
  const isOver = (): boolean => !["not begun", "under way"].includes(stream.state().is);

  const tellTurn = (method: "turn/steer" | "turn/interrupt", params: (turn: string) => object) =>
    new Promise<"heard" | "too late">((resolve) => {
      const { thread, turn, is } = stream.state();
      if (turn === undefined || is !== "under way") return resolve("too late");
      ask(method, { threadId: thread, ...params(turn) }, (reply) => {
        resolve("result" in reply ? "heard" : "too late");
        return [];
      });
    });

  return {
    input,
    read: (line) => {
      const said = packet.safeParse(tryJson(line)).data;
      if (said === undefined) return [];
      if (said.method === undefined) return answered(said);
      if (said.id !== undefined) {
        tell(declined(said));
        return [];
      }
      const seen = stream.notice(said.method, said.params);
      if (isOver()) input.end();
      return seen;
    },
    answered: isOver,
    outcome: (end) =>
      opening.refusal() ??
      stream.outcome(end, (words) => (order.schema === undefined ? undefined : tryJson(words))),
    say: (words) => tellTurn("turn/steer", (turn) => ({ expectedTurnId: turn, input: inWords(words) })),
    interrupt: () => tellTurn("turn/interrupt", (turn) => ({ turnId: turn })),
    close,
  };
}

interface Talk extends Pick<Requests, "tell" | "ask"> {
  readonly stream: ReturnType<typeof codexAppStream>;
  readonly input: OpenInput;
}

/** Shakes hands, opens the thread and begins the turn, each once the step before it is answered. */
function openTurn({ order, sandbox, runtime }: Order, { stream, input, tell, ask }: Talk) {
  let offered: string | undefined;

  /** Without this there is no turn. */
  const need = (method: string, params: object, then: (result: unknown) => readonly Seen[]): void =>
    ask(method, params, (reply) => {
      if ("result" in reply) return then(reply.result);
      stream.refused(reply.error);
      input.end();
      return [];
    });

  need("initialize", { clientInfo: us, capabilities: null }, () => {
    tell({ method: "initialized" });
    // The sandbox is said on the command line: asked for at a start, it would make the repository a trusted one. A thread
    // remembers its last one, though, and has to be told anew.
    const place = { cwd: order.cwd, approvalPolicy: "never", model: order.model ?? null };
    if (order.resume === undefined) need("thread/start", place, onOpened);
    else need("thread/resume", { ...place, sandbox, threadId: order.resume, excludeTurns: true }, onOpened);
    return [];
  });

  function onOpened(result: unknown): readonly Seen[] {
    const said = opened.safeParse(result).data;
    if (said === undefined) {
      stream.refused("it opened no thread");
      input.end();
      return [];
    }
    if (said.sandbox?.type !== sandboxTypes[sandbox] || said.approvalPolicy !== "never") {
      offered = `${said.sandbox?.type ?? "none"}, approvals ${JSON.stringify(said.approvalPolicy)}`;
      input.end();
      return [];
    }
    const schema = order.schema === undefined ? {} : { outputSchema: order.schema };
    // A thread that goes on remembers how hard it thought, whatever stands on the command line.
    const effort = order.effort === undefined ? {} : { effort: order.effort };
    const turn = { threadId: said.thread.id, input: inWords(order.prompt), ...schema, ...effort };
    need("turn/start", turn, (answer) => {
      stream.begun(begun.safeParse(answer).data?.turn.id);
      return [];
    });
    return stream.opened(said.thread.id, said.model);
  }

  return {
    /** It would have worked in another sandbox than the one that was asked for. */
    refusal: (): AgentOutcome | undefined =>
      offered === undefined
        ? undefined
        : failed(
            "blocked",
            "sandbox-refused",
            `${runtime.title} offers the sandbox ${offered} where ${sandboxTypes[sandbox]} was asked for: look at what is required of it on this host (requirements.toml), then retry the ticket`,
          ),
  };
}

/** There is nobody to ask: whatever it wants to be allowed is declined. */
function declined({ id, method }: Packet): object {
  if (method === "item/commandExecution/requestApproval" || method === "item/fileChange/requestApproval")
    return { id, result: { decision: "decline" } };
  return { id, error: { code: -32_601, message: "not offered" } };
}

const us = { name: "forgehand", title: "forgehand", version: "1" };
const inWords = (words: string) => [{ type: "text", text: words, text_elements: [] }];

function tryJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
