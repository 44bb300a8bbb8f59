import type { ModelMessage } from "ai";

/** The newest answers of tools that are never left out. */
const kept = 4;
/** Shorter ones make no room. */
const worthLeavingOut = 400;
const leftOut = "[left out to make room: ask again when you still need it]";

/** The same conversation with what tools answered long ago left out; itself when there is nothing to leave out. */
export function forgetful(messages: ModelMessage[]): ModelMessage[] {
  const answers = messages.filter(({ role }) => role === "tool").length;
  let at = 0;
  let changed = false;
  const shorter = messages.map((message): ModelMessage => {
    if (message.role !== "tool") return message;
    at += 1;
    if (at > answers - kept) return message;
    return {
      ...message,
      content: message.content.map((part) => {
        if (part.type !== "tool-result" || JSON.stringify(part.output).length < worthLeavingOut) return part;
        changed = true;
        return { ...part, output: { type: "text", value: leftOut } };
      }),
    };
  });
  return changed ? shorter : messages;
}
