/**
 * Deploys a commit after a person has approved exactly what will happen, watches it, and takes it back when it is not well.
 *
 *   forgehand workflow run examples/guarded-deploy.tsx --input '{"test":"npm test","plan":"./deploy.sh --dry-run {head}",
 *     "deploy":"./deploy.sh {head}","verify":"./healthy.sh","rollback":"./deploy.sh --back","who":["ada"]}'
 *
 * It shows the plan of the commit that is checked out and waits: `forgehand approve RUN` or `forgehand deny RUN`. The approval
 * holds for that plan alone: when the checkout has moved meanwhile, it plans and asks anew. `deploy` must be safe to repeat,
 * because a machine may die while it runs. A deployment that failed or is not well is rolled back: exit code 10.
 */
import {
  Approval,
  ApprovalAnswer,
  Branch,
  leaf,
  Loop,
  runCommand,
  Saga,
  Sequence,
  ShellOutput,
  Task,
  workflow,
  type Step,
} from "forgehand";
import { z } from "zod";

const plan = leaf("plan", z.object({ head: z.string(), what: z.string() }));
const go = leaf("go", ApprovalAnswer);
const still = leaf("still", z.object({ same: z.boolean() }));
const deployed = leaf("deploy", ShellOutput);

/** The commit that is checked out; undefined where files differ from it. */
async function cleanHead(step: Step): Promise<string | undefined> {
  const { stdout: dirty } = await runCommand(step, "git status --porcelain");
  const { stdout: head } = await runCommand(step, "git rev-parse HEAD");
  return dirty === "" ? head.trim() : undefined;
}

export default workflow({
  name: "guarded-deploy",
  input: z.object({
    test: z.string().min(1).describe("must exit with 0 before anybody is asked"),
    plan: z.string().min(1).describe("writes what would happen and changes nothing; {head} is the commit"),
    deploy: z.string().min(1),
    verify: z.string().min(1).describe("exits with 0 when what was deployed is well"),
    rollback: z.string().min(1),
    who: z
      .array(z.string())
      .min(1)
      .optional()
      .describe("who may approve; anybody at this host when left out"),
    rounds: z
      .number()
      .int()
      .min(1)
      .max(20)
      .default(5)
      .describe("times it plans anew because the checkout moved"),
    watch: z.number().int().min(0).max(10).default(2).describe("times it looks again when it is not well"),
  }),
  output: z.object({ deployed: z.boolean(), head: z.string(), by: z.string(), note: z.string() }),
  render: (ctx) => {
    const { test, deploy, verify, rollback, who } = ctx.input;
    const planned = ctx.latest(plan);
    const answer = ctx.latest(go);
    const isDenied = answer?.decision === "denied";
    const isSame = ctx.latest(still)?.same === true;
    const of = (command: string): string => command.replaceAll("{head}", planned?.head ?? "");
    return (
      <Sequence>
        <Loop id="until-decided" max={ctx.input.rounds} until={isDenied || isSame}>
          <Task
            {...plan}
            retries={0}
            perform={async (step) => {
              const head = await cleanHead(step);
              if (head === undefined)
                throw new Error("the checkout has changes that no commit holds; commit them first");
              await runCommand(step, test);
              const { stdout } = await runCommand(step, ctx.input.plan.replaceAll("{head}", head));
              return { head, what: stdout };
            }}
          />
          <Approval
            id={go.id}
            ask={`Deploy ${planned?.head.slice(0, 12) ?? ""}?\n\n${planned?.what ?? ""}`}
            {...(who && { who })}
            about={ctx.digest(plan)}
          />
          <Branch
            if={!isDenied}
            then={
              <Task
                {...still}
                perform={async (step) => ({ same: (await cleanHead(step)) === planned?.head })}
              />
            }
          />
        </Loop>
        <Branch
          if={!isDenied}
          then={
            <Saga
              id="deployment"
              steps={[
                {
                  // What stands before the deployment in the saga is undone when the deployment itself fails half way.
                  act: <Task id="begin" output={z.null()} value={null} />,
                  undo: <Task id="rollback" command={of(rollback)} effect="rolls the deployment back" />,
                },
                { act: <Task {...deployed} command={of(deploy)} retries={0} effect="deploys" /> },
                { act: <Task id="verify" command={of(verify)} retries={ctx.input.watch} /> },
              ]}
            />
          }
        />
      </Sequence>
    );
  },
  result: (ctx) => {
    const { by, note } = ctx.output(go);
    return { deployed: ctx.latest(deployed) !== undefined, head: ctx.output(plan).head, by, note };
  },
});
