import type { Agent, AgentSays } from "../ports-agents.ts";
import type { TicketWork } from "./work.ts";

/** The same agent; that it used a tool is on record before anything later is heard of it. */
export const onRecord = ({ sessions }: Pick<TicketWork, "sessions">, agent: Agent, key: string): Agent => ({
  ...agent,
  work: async function* (order, signal): AsyncGenerator<AgentSays> {
    let acted = false;
    for await (const said of agent.work(order, signal)) {
      if (said.type === "tool" && !acted) {
        acted = true;
        await sessions.acted(key);
      }
      yield said;
    }
  },
});
