import { errorCodes, messageOf, type AcpError } from "./messages.ts";
import type { Seen } from "../turn.ts";
import type { ProcessInput } from "../../processes/process-input.ts";
import { shortLine } from "../tool-detail.ts";

/** Both ends of JSON-RPC over lines. What an answer leads to is said at once. */
export interface Wire {
  call(
    method: string,
    params: object,
    answered: (result: unknown) => readonly Seen[],
    refused: (error: AcpError) => readonly Seen[],
  ): readonly Seen[];
  read(line: string, heard: Heard): readonly Seen[];
}
/** What the other end says of its own accord. */
export interface Heard {
  notice(method: string, params: unknown): readonly Seen[];
  /** Undefined when we offer no such thing. */
  request(
    method: string,
    params: unknown,
  ): { readonly result: object; readonly seen: readonly Seen[] } | undefined;
}

export function acpWire(input: ProcessInput): Wire {
  type Waiting = readonly [answered: Parameters<Wire["call"]>[2], refused: Parameters<Wire["call"]>[3]];
  const pending = new Map<number | string, Waiting>();
  let calls = 0;
  const say = (message: object): void => input.say(JSON.stringify({ jsonrpc: "2.0", ...message }));

  return {
    call: (method, params, answered, refused) => {
      calls += 1;
      pending.set(calls, [answered, refused]);
      say({ id: calls, method, params });
      return [];
    },
    read: (line, heard) => {
      const { id, method, params, result, error } = messageOf(line) ?? {};
      if (method !== undefined && id === undefined) return heard.notice(method, params);
      if (id === undefined) return [];
      if (method !== undefined) {
        const answer = heard.request(method, params);
        const message = `forgehand offers no ${shortLine(method)}`;
        if (answer === undefined) say({ id, error: { code: errorCodes.methodNotFound, message } });
        else say({ id, result: answer.result });
        return answer?.seen ?? [];
      }
      const [answered, refused] = pending.get(id) ?? [];
      pending.delete(id);
      return error === undefined ? (answered?.(result) ?? []) : (refused?.(error) ?? []);
    },
  };
}
