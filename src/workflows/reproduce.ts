/** Runs the commands that are to show late findings, confined, in a copy of the head that nobody else reads. */
import type { Step } from "../engine/node.ts";
import type { Evidence, Raised } from "../review/findings.ts";
import { redact } from "../secrets.ts";
import { inCold } from "./judge.ts";
import type { TicketInput } from "./report.ts";
import type { TicketWork, WorkFacts } from "./work.ts";

/** Of one round; a reviewer with more to show has no late finding but a new review. */
const mostCommands = 5;
/** Of what a command wrote, its end is kept. */
const keptChars = 4_000;
/** A reproduction is short. */
const longestMs = 10 * 60_000;

/** What they showed, by finding; nothing where this host has no sandbox for commands. */
export async function reproduceAll(
  work: TicketWork,
  input: TicketInput,
  facts: WorkFacts,
  findings: readonly Raised[],
  step: Step,
): Promise<ReadonlyMap<string, Evidence>> {
  const shown = new Map<string, Evidence>();
  const { reproduce } = work;
  if (reproduce === undefined) return shown;
  for (const { id, reproduce: asked } of findings.slice(0, mostCommands)) {
    if (id === undefined || asked === undefined) continue;
    const order = { remote: facts.remote, name: `reproduce-${id}-${step.run}` };
    // Each in a copy of its own: what one command leaves there must not show anything to the next.
    const evidence = await inCold(work, input, order, async ({ path }) => {
      const timeoutMs = Math.min(facts.commands.timeoutMs, longestMs);
      const run = (command: string) =>
        reproduce({ command, cwd: path, timeoutMs, runId: step.run }, step.signal);
      await run("chmod -R u+w .");
      const { exit, timedOut, tail } = await run(asked.command);
      const isAsSaid =
        !timedOut &&
        (asked.exit === undefined || asked.exit === exit) &&
        (asked.output === undefined || tail.includes(asked.output));
      return {
        command: redact(asked.command),
        ...(exit === undefined ? {} : { exit }),
        output: redact(tail).slice(-keptChars),
        shows: isAsSaid ? ("the finding" as const) : ("nothing" as const),
      };
    });
    shown.set(id, evidence);
  }
  return shown;
}
