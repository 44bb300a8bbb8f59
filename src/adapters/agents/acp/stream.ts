import type { AgentOutcome, SessionId } from "../../../ports-agents.ts";
import { familyOf } from "../../../review/pairing.ts";
import { permissionRequest, prompted, update, type SessionState } from "./messages.ts";
import { openAcp, type AcpManner, type AcpOrder } from "./opening.ts";
import { endOfTurn, failureIn } from "./outcome.ts";
import { judgePermission } from "./permission.ts";
import { modelOf } from "./session.ts";
import { turnCount } from "./usage.ts";
import { acpWire, type Heard } from "./wire.ts";
import { turnWords } from "./words.ts";
import { endedWithoutAnswer } from "../failure.ts";
import type { AgentStream, Seen } from "../turn.ts";
import { promptInWords } from "../answer-in-words.ts";
import type { ProcessInput } from "../../processes/process-input.ts";
import type { SessionTotals } from "../session-totals.ts";
import { shortLine } from "../tool-detail.ts";

export interface AcpTalk extends AcpOrder {
  readonly input: ProcessInput;
  /** What was counted of the session before. */
  readonly before: SessionTotals;
}

/** Speaks with an agent by the Agent Client Protocol: one session, one prompt, and every leave it asks for. */
export function acpStream(talk: AcpTalk): AgentStream {
  const { runtime, order, input, manner, clock } = talk;
  const wire = acpWire(input);
  const count = turnCount(talk.before);
  const words = turnWords(count.shown);
  const models = modelWatch(manner, order.model);
  const bounds = { cwd: order.cwd, permitted: talk.permitted };
  let atWorkIn: SessionId | undefined;
  let outcome: AgentOutcome | undefined;

  function over(how: AgentOutcome): readonly Seen[] {
    outcome = how;
    input.end();
    return [];
  }
  function prompt(session: SessionId, state: SessionState): readonly Seen[] {
    atWorkIn = session;
    const text = promptInWords(order);
    const params = { sessionId: session, prompt: [{ type: "text", text }] };
    wire.call("session/prompt", params, onPrompted, (error) => {
      over(failureIn(error, runtime, clock.now()));
      return [...words.flush(), ...counted()];
    });
    return models.opened(state);
  }
  function onPrompted(result: unknown): readonly Seen[] {
    const said = prompted.safeParse(result).data;
    const seen = [...words.flush()];
    if (said !== undefined) {
      const { _meta: meta } = said;
      count.ended(said);
      for (const { model } of meta?.quota?.model_usage ?? []) seen.push(...models.saw(model));
    }
    over(endOfTurn({ stopReason: said?.stopReason, words, count, order, runtime, clock }));
    return [...seen, ...models.ended(), ...counted()];
  }
  function counted(): readonly Seen[] {
    const total = count.total();
    const estimate: Seen = { type: "estimate", usage: count.estimate() };
    return total === undefined ? [estimate] : [estimate, { type: "total", usage: total }];
  }

  function onUpdate(params: unknown): readonly Seen[] {
    const said = update.safeParse(params).data;
    // What comes before the prompt is the past, told again; another session is a helper of the agent's own.
    if (said === undefined || atWorkIn === undefined || said.sessionId !== atWorkIn) return [];
    const { update: news } = said;
    const { _meta: meta } = news;
    const seen = [...words.read(news, params), ...models.saw(meta?.["_claude/model"])];
    if (news.configOptions !== undefined) seen.push(...models.changed({ configOptions: news.configOptions }));
    count.update(news);
    return [...seen, ...counted()];
  }
  const onPermission: Heard["request"] = (method, params) => {
    const asked =
      method === "session/request_permission" ? permissionRequest.safeParse(params).data : undefined;
    if (asked === undefined) return undefined;
    const toolCall = words.known(asked.toolCall);
    const { granted, why, outcome: answer } = judgePermission({ ...asked, toolCall }, bounds);
    const detail = shortLine(`refused, because ${why}: ${toolCall.title ?? ""}`);
    const refusal: Seen = { type: "tool", name: toolCall.kind ?? "tool", detail };
    return { result: { outcome: answer }, seen: granted === "yes" ? [] : [...words.flush(), refusal] };
  };
  const heard: Heard = {
    notice: (method, params) => (method === "session/update" ? onUpdate(params) : []),
    request: onPermission,
  };

  openAcp(talk, wire, { over, ready: prompt });
  return {
    read: (line) => (outcome === undefined ? wire.read(line, heard) : []),
    answered: () => outcome !== undefined,
    outcome: (end) => outcome ?? endedWithoutAnswer(end, runtime, clock.now()),
  };
}

/** Which models an agent names. An alias such as `default` is held back: what it stands for may yet be told. */
function modelWatch(manner: AcpManner, asked: string | undefined) {
  const model = asked ?? manner.model;
  // What the operator vouches for is the model that he named, and no other.
  const vouched = model === manner.model ? manner.vouched : manner.only;
  const seen = new Set<string>();
  let alias: string | undefined;
  const saw = (id: string | undefined): readonly Seen[] => {
    if (id === undefined || id === "" || seen.has(id)) return [];
    seen.add(id);
    return [{ type: "model", id }];
  };
  const changed = (state: SessionState): readonly Seen[] => {
    const said = modelOf(state);
    if (said !== undefined && familyOf(said) !== "unknown") return saw(said);
    alias = said ?? alias;
    return [];
  };
  return {
    saw,
    changed,
    opened: (state: SessionState): readonly Seen[] => {
      const known = changed(state);
      const id = model ?? (vouched === "unknown" ? undefined : (alias ?? "unnamed"));
      return known.length > 0 || id === undefined ? known : [{ type: "model", id, configured: vouched }];
    },
    /** Nobody told what the alias stands for, and nobody vouches for it. */
    ended: (): readonly Seen[] => (seen.size === 0 && vouched === "unknown" ? saw(alias) : []),
  };
}
