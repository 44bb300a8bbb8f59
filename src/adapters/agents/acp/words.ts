import { textBlock, toolCall, type ToolCall, type Update } from "./messages.ts";
import type { Seen } from "../turn.ts";
import { detailOf, shortLine } from "../tool-detail.ts";

/** Kept of one message; what is longer is counted and not kept. */
const longestMessage = 4 * 1024 * 1024;
/** Tool calls under way that are remembered. */
const mostCalls = 1_000;

/** What an agent says and does in one turn. */
export interface TurnWords {
  read(update: Update, params: unknown): readonly Seen[];
  /** Says the message that is under way. */
  flush(): readonly Seen[];
  /** A tool call with what was told of it before. */
  known(call: ToolCall): ToolCall;
  /** The last message said. */
  last(): string;
  /** The last piece of it, as it came. */
  lastChunk(): string;
  usedTools(): boolean;
  /** The agent's own words for why its turn broke, where it marks them as such. */
  trouble(): string | undefined;
}

/** Puts chunks together to messages, and the stages of a tool call to one line. */
export function turnWords(shown: (characters: number) => void): TurnWords {
  const calls = new Map<string, ToolCall & { readonly isSaid: boolean }>();
  let message: { readonly id: string | undefined; text: string } | undefined;
  let last = "";
  let lastChunk = "";
  let tools = 0;
  let isBroken = false;
  let trouble: string | undefined;

  function flush(): readonly Seen[] {
    const text = message?.text ?? "";
    message = undefined;
    if (text.trim() === "") return [];
    last = text;
    return [{ type: "text", text }];
  }
  function known(call: ToolCall): ToolCall {
    const before = call.toolCallId === undefined ? undefined : calls.get(call.toolCallId);
    const told = Object.entries(call).filter(([, value]) => value !== undefined && value !== null);
    return { ...before, ...Object.fromEntries(told) };
  }
  function keep(id: string, call: ToolCall, isSaid: boolean): void {
    if (calls.size >= mostCalls) for (const oldest of [...calls.keys()].slice(0, 1)) calls.delete(oldest);
    calls.set(id, { ...call, isSaid });
  }

  function onChunk({ messageId: id, content }: Update): readonly Seen[] {
    const text = textBlock.safeParse(content).data?.text ?? "";
    shown(text.length);
    if (text !== "") lastChunk = text;
    if (isBroken && id === undefined) {
      trouble = `${trouble ?? ""}${text}`.slice(0, longestMessage);
      return [];
    }
    const isAnother =
      message !== undefined && message.id !== undefined && id !== undefined && id !== message.id;
    const said = isAnother ? flush() : [];
    message ??= { id, text: "" };
    if (message.text.length + text.length <= longestMessage) message.text += text;
    return said;
  }

  function onTool(said: unknown): readonly Seen[] {
    const call = toolCall.safeParse(said).data;
    if (call?.toolCallId === undefined) return [];
    const id = call.toolCallId;
    const isNew = !calls.has(id);
    const whole = known(call);
    const wasSaid = calls.get(id)?.isSaid === true;
    // The first word of a call often lacks what it is for, and for some it is the only one until the call is over.
    const isTold = (whole.status ?? "pending") !== "pending" || hasInput(whole);
    if (isNew) {
      tools += 1;
      shown(JSON.stringify(whole.rawInput ?? "").length);
    }
    keep(id, whole, wasSaid || isTold);
    return wasSaid || !isTold ? [] : [...flush(), lineOf(whole)];
  }

  return {
    read: (news, params) => {
      const { _meta: meta } = news;
      if (meta?.codex?.threadStatus?.type === "systemError") isBroken = true;
      switch (news.sessionUpdate) {
        case "agent_message_chunk":
          return onChunk(news);
        case "agent_thought_chunk":
          shown(textBlock.safeParse(news.content).data?.text.length ?? 0);
          return [];
        case "tool_call":
        case "tool_call_update":
          return onTool(updateIn(params));
        default:
          return [];
      }
    },
    flush,
    known,
    last: () => last,
    lastChunk: () => lastChunk,
    usedTools: () => tools > 0,
    trouble: () => trouble?.trim(),
  };
}

/** The update as it came, with the fields that only a tool call has. */
const updateIn = (params: unknown): unknown =>
  typeof params === "object" && params !== null && "update" in params ? params.update : undefined;

const hasInput = ({ rawInput }: ToolCall): boolean =>
  typeof rawInput === "object" && rawInput !== null && Object.keys(rawInput).some((name) => name !== "cwd");

function lineOf(call: ToolCall): Seen {
  const { _meta: meta } = call;
  const name = call.name ?? meta?.toolName ?? meta?.claudeCode?.toolName ?? call.kind ?? "tool";
  const input = hasInput(call) ? detailOf(call.rawInput) : "";
  return { type: "tool", name, detail: input === "" ? shortLine(call.title ?? "") : input };
}
