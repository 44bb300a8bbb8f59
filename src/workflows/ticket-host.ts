/** The machine as workflows of one's own find it when they build a ticket: agents on the ticket's bill, a scrubbed shell. */
import type { AgentOrder, AgentSaid, Host, HostAgent } from "../engine/host.ts";
import type { Agent, AgentOutcome, Role, WorkOrder } from "../ports-agents.ts";
import { redact } from "../secrets.ts";
import { ticketOfRun } from "../state-machine/ticket.ts";
import { recorded } from "./recorded.ts";
import { sawModel, type ModelsSeen } from "./models-seen.ts";
import { holdForMoney } from "./money.ts";
import { onRecord } from "./on-record.ts";
import { worn } from "./prompts.ts";
import type { TicketWork } from "./work.ts";

/** A command without a limit of its own. */
const commandMs = 30 * 60_000;

export const ticketHost = (work: TicketWork): Host => ({
  // Every task of a ticket works in its worktree.
  folder: "/nonexistent",
  shell: async ({ command, folder, run, timeoutMs = commandMs }, signal) => {
    const { exit, timedOut, tail } = await work.command(
      { command, cwd: folder, timeoutMs, runId: run },
      signal,
    );
    return { exit, timedOut, stdout: tail, stderr: "" };
  },
  agents: new Map([...work.agents].map(([name, agent]) => [name, onTheBill(work, agent)])),
  redact,
  snapshots: undefined,
  worktrees: undefined,
  fingerprint: (path) => work.workspace.fingerprint({ path }),
});

/** The same agent with each turn on record, and no more to spend than the run has left. */
const onTheBill = (work: TicketWork, agent: Agent): HostAgent => ({
  name: agent.name,
  work: async function* (given: AgentOrder, signal): AsyncGenerator<AgentSaid> {
    const { run, access, usd } = given;
    // Several of a chain may work in one attempt, and each has had a part in what is there.
    const key = `${given.key}@${agent.name}`;
    const { sessions, money } = work;
    const { limits, assign } = await work.facts(ticketOfRun(run));
    const role = roleOf(given);
    const assigned = assign(role, given.way);
    const equipment = assigned.equip(agent.name, access);
    await sessions.open({ key, run, role, runtime: agent.name });
    const left = await money.left(run);
    if (left <= 0) {
      await sessions.close(key, "run-budget");
      return await holdForMoney(work, run, key, signal);
    }
    // Who builds reads what its role's own persona says in the brief already.
    const isBriefed = role === "build" && given.way?.persona === undefined;
    const order: WorkOrder = {
      role,
      prompt: isBriefed ? given.prompt : worn(assigned.persona, given.prompt),
      cwd: given.folder,
      resume: given.resume,
      access,
      schema: given.schema,
      runId: run,
      ...equipment,
      model: given.model ?? equipment.model,
      limits: { ...limits, usd: usd === undefined ? left : Math.min(usd, left) },
    };
    const seen: ModelsSeen = { models: [] };
    const stop = new AbortController();
    let nothingLeft = false;
    const stopped = AbortSignal.any([signal, stop.signal]);
    for await (const said of recorded(sessions, key, onRecord(work, agent, key), order, stopped)) {
      if (nothingLeft && said.type !== "result") stop.abort();
      if (said.type === "session") await sessions.saw(key, { session: said.id });
      if (said.type === "model") {
        const model = sawModel(seen, said);
        if (model !== undefined) await sessions.saw(key, model);
      }
      if (said.type === "usage") {
        await sessions.usage(key, said.usage);
        nothingLeft = (await money.left(run)) <= 0;
      }
      if (said.type === "result") {
        await sessions.close(key, codeOf(said.outcome), whyOf(said.outcome));
        await onHealth(work, agent.name, said.outcome);
      }
      // A task may have a smaller cap of its own; that one is the workflow's to answer.
      if (said.type === "result" && said.outcome.is === "failed" && nothingLeft)
        return await holdForMoney(work, run, key, signal);
      yield said;
    }
  },
});

/** Who writes builds; who only reads plans, mediates or gives advice, and may be of any family. */
const roleOf = ({ access, way }: AgentOrder): Role =>
  access === "write" ? "build" : way?.role === "plan" || way?.role === "mediate" ? way.role : "advise";

/** What became of a turn says whether its runtime can work at all. */
async function onHealth({ health }: TicketWork, runtime: string, outcome: AgentOutcome): Promise<void> {
  if (outcome.is === "done") return await health.worked(runtime);
  const { how, code, why, retryAt } = outcome;
  if (how === "blocked" || how === "retry")
    await health.failed(runtime, { code, why: redact(why), how, retryAt });
}
const whyOf = (outcome: AgentOutcome): string | undefined =>
  outcome.is === "failed" && (outcome.how === "blocked" || outcome.how === "retry")
    ? redact(outcome.why)
    : undefined;

const codeOf = (outcome: AgentOutcome): string => (outcome.is === "done" ? "done" : outcome.code);
