/**
 * One agent splits a goal into tasks, workers do them side by side in worktrees of their own, and it judges what they gave, again
 * until the goal is reached and the check is green.
 *
 *   forgehand workflow run examples/supervisor.tsx --input '{"goal":"Every command has --json","check":"npm test"}'
 *
 * It asks you nothing. Each worker's work lands on the branch that is checked out as commits of its own; what conflicts is
 * thrown out of the round and planned anew. The supervisor cannot say it is done while the check is red. Ends with 10 when the
 * rounds are used up.
 */
import {
  leaf,
  quoted,
  ShellOutput,
  Supervised,
  Supervisor,
  supervised,
  Task,
  Worktree,
  workflow,
} from "forgehand";
import { z } from "zod";

const team = supervised("team");
const check = leaf("check", ShellOutput);
const opinion = leaf("opinion", Supervised);

export default workflow({
  name: "supervisor",
  input: z.object({
    goal: z.string().min(1).describe("what shall be true in the end"),
    check: z.string().default("npm test").describe("a command that is green, 0, when nothing is broken"),
    rounds: z.number().int().min(1).max(10).default(3),
    atOnce: z.number().int().min(1).max(8).default(3).describe("workers side by side"),
    agent: z.string().default("claude-code").describe("plans and judges"),
    worker: z.string().optional().describe("the supervisor's own agent unless said"),
    usd: z.number().positive().default(3).describe("dollars for each worker"),
  }),
  output: z.object({
    rounds: z.number(),
    last: z.array(z.object({ task: z.string(), result: z.string().optional() })),
    judgement: z.string(),
  }),
  render: (ctx) => {
    const { goal, rounds, atOnce, agent, worker = agent, usd } = ctx.input;
    const checked = ctx.latest(leaf(`${team.id}/${check.id}`, ShellOutput));
    const wrote = quoted(
      `\`${ctx.input.check}\` ended with ${checked?.exit ?? 0} and wrote`,
      `${checked?.stdout ?? ""}\n${checked?.stderr ?? ""}`,
      8_000,
    );
    return (
      <Supervisor
        id={team.id}
        max={rounds}
        atOnce={atOnce}
        plan={({ leaf: own, round, feedback, results }) => (
          <Task
            {...own}
            agent={agent}
            access="read"
            continues={own}
            prompt={`The goal for this repository: ${goal}
Plan round ${round} of ${rounds}: at most ${atOnce * 2} tasks that different people can do at the same time, each in a checkout of its own,
without touching the same lines. Look at the code first. Each \`order\` stands alone: what to change where, how to see that it
is done, what to leave alone. Few good tasks are better than many small ones.${
              round === 1
                ? ""
                : `\n\n${quoted("What the last round gave", JSON.stringify(results, undefined, 1))}\n\n${quoted("What was still missing", feedback)}`
            }`}
          />
        )}
        work={({ leaf: own, task }) => (
          <Worktree id={`${own.id}/tree`} message={task.name}>
            <Task
              {...own}
              agent={worker}
              usd={usd}
              prompt={`You are one of several workers on this goal: ${goal}
Your task, ${JSON.stringify(task.name)}, and nothing else:
${task.order}

You work in a checkout of your own. Leave your changes in the files; they are committed for you. Run what tests your change touches.
Say in \`result\` what you did and what you could not do, in at most five sentences.`}
            />
          </Worktree>
        )}
        judge={({ leaf: own, results }) => [
          <Task {...check} command={ctx.input.check} onExit="accept" />,
          <Task
            {...opinion}
            agent={agent}
            access="read"
            prompt={`Is this goal reached in this repository as it is now: ${goal}
Look at the code yourself; what workers say of their work is a hint, no proof. A task without a result failed or did not fit on top
of the others, and is not in the code. Where something is missing, say in \`feedback\` exactly what and where.

${quoted("What the workers gave", JSON.stringify(results, undefined, 1))}

${wrote}`}
          />,
          <Task
            {...own}
            perform={() => {
              const { done, feedback } = ctx.output(leaf(`${team.id}/${opinion.id}`, Supervised));
              const { exit } = ctx.output(leaf(`${team.id}/${check.id}`, ShellOutput));
              if (exit === 0) return { done, feedback };
              return { done: false, feedback: `${feedback}\n\n${wrote}`.trim() };
            }}
          />,
        ]}
      />
    );
  },
  result: (ctx) => {
    const { rounds, results, feedback } = ctx.output(team);
    return {
      rounds,
      last: results.map(({ name, ...result }) => ({ task: name, ...result })),
      judgement: feedback,
    };
  },
});
