import { z } from "zod";
import { Task } from "../engine/task.ts";
import { workflow, type Workflow } from "../engine/workflow.ts";
import { Trouble } from "../ports.ts";
import { gateJsonSchema, readGateAnswer } from "../review/gate-answer.ts";
import { redact } from "../secrets.ts";
import { restoreForeign } from "./agent-files.ts";
import { askInChain } from "./ask-chain.ts";
import { gatePrompt } from "./prompts.ts";
import { reportSchema, ticketInput, type TicketInput } from "./report.ts";
import type { TicketWork } from "./work.ts";

const gateOutput = z.object({ event: reportSchema });
export type GateOutput = z.infer<typeof gateOutput>;

/** Reads the spec and says whether it can be built. */
export const gate = (work: TicketWork): Workflow<TicketInput, GateOutput> =>
  workflow({
    name: "gate",
    input: ticketInput,
    output: gateOutput,
    render: (ctx) => (
      <Task
        id="read"
        output={gateOutput}
        perform={async (step): Promise<GateOutput> => {
          const facts = await work.facts(ctx.input.ticket);
          const tree = await work.workspace.prepare(
            ctx.input.ticket,
            facts.remote,
            facts.branch,
            facts.hooks,
          );
          await restoreForeign(work.workspace, facts, tree);
          const nonce = work.nonce();
          const { outcome } = await askInChain(
            work,
            facts,
            {
              role: "gate",
              chain: [facts.runtimes.gate, ...facts.assign("gate").fallback],
              brief: (now) => gatePrompt(now, nonce),
              flaw: (answer) => {
                const read = readGateAnswer(answer);
                return read.is === "malformed" ? read.why : undefined;
              },
              cwd: tree.path,
              access: "read",
              schema: gateJsonSchema,
              resume: () => undefined,
            },
            step,
          );
          if (outcome.is === "failed")
            throw new Trouble(outcome.code, redact(outcome.why), { permanent: true });
          const answer = readGateAnswer(outcome);
          if (answer.is === "malformed") throw new Trouble("gate-malformed", answer.why);
          if (answer.is === "proceed") return { event: { type: "gate.passed" } };
          const gaps = answer.gaps.map(({ about, missing, choices }) => ({
            about,
            missing: redact(missing),
            ...(choices === undefined ? {} : { choices: choices.map(redact) }),
          }));
          return { event: { type: "gate.flagged", gaps, comment: redact(answer.comment) } };
        }}
      />
    ),
    result: (ctx) => {
      const read = ctx.latest("read", gateOutput);
      if (read === undefined)
        throw new Trouble("gate-unread", "The gate ended without an answer.", { permanent: true });
      return read;
    },
  });
