import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Agent, AgentOutcome, AgentSays } from "../ports-agents.ts";
import { usdOf } from "../pricing.ts";
import { Trouble } from "../ports.ts";
import { dollars } from "../says.ts";
import { bad, ok, type Finding } from "./doctor-finding.ts";

const turnMs = 3 * 60_000;
const limits = { turnMs, stallMs: 2 * 60_000, outputTokens: 2_000, usd: 0.5 } as const;
const prompt = "Answer with the single word: ready. Read no file, run nothing and write nothing.";

/**
 * Lets each runtime that is there do one small turn, which costs tokens, and sees whether its stream is understood to the
 * end. What it says does not matter.
 */
export async function checkTurns(
  agents: ReadonlyMap<string, Agent>,
  now: () => number,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const agent of agents.values()) {
    const { found, why } = await agent.probe();
    // That it is absent or logged out is told already.
    if (found && why === undefined) findings.push(await tryTurn(agent, now));
  }
  return findings;
}

async function tryTurn(agent: Agent, now: () => number): Promise<Finding> {
  const cwd = await mkdtemp(join(tmpdir(), "forgehand-doctor-"));
  try {
    // Some runtimes work nowhere but in a repository.
    await promisify(execFile)("git", ["init", "-q", cwd]);
    const said: AgentSays[] = [];
    for await (const one of agent.work(order(cwd), AbortSignal.timeout(turnMs + 10_000))) said.push(one);
    return judged(agent, said, now());
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    return bad(
      "usage",
      `${agent.name} cannot be given an order: ${error.message}`,
      "forgehand doctor, once that is right",
    );
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

const order = (cwd: string) => ({
  role: "gate" as const,
  prompt,
  cwd,
  resume: undefined,
  access: "read" as const,
  schema: undefined,
  runId: `doctor-${process.pid}`,
  model: undefined,
  limits,
});

function judged({ name }: Agent, said: readonly AgentSays[], now: number): Finding {
  const model = said.findLast((one) => one.type === "model")?.id;
  const usd = said
    .flatMap((one) => (one.type === "usage" ? [usdOf(one.usage, model, now).usd] : []))
    .reduce((sum, one) => sum + one, 0);
  const outcome: AgentOutcome | undefined = said.findLast((one) => one.type === "result")?.outcome;
  if (outcome?.is === "done")
    return ok(
      `${name} did a turn${model === undefined ? "" : ` on ${model}`} for ${dollars(usd, false)}; its stream was understood`,
    );
  const why = outcome?.why ?? "it said nothing";
  return bad(
    outcome?.how === "blocked" ? "permission" : "remote",
    `${name} could not do a turn (${outcome?.code ?? "no answer"}): ${why}`,
    `run ${name} by hand as this user; once it answers, \`forgehand doctor --deep\``,
  );
}
