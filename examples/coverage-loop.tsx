/**
 * Lets an agent write tests until the coverage that a command reports reaches a target.
 *
 *   forgehand workflow run examples/coverage-loop.tsx --input '{"measure":"npm run -s coverage","target":85}'
 *
 * It asks you nothing. The figure is read from what the command writes (`figure`, a pattern with one group; unless said,
 * the summary that c8, nyc, Vitest and Jest print). Tests must pass, and nothing but files that match `tests` may have
 * changed: an agent that makes the figure rise by touching the code is told to take that back. Ends with 10 when the
 * rounds are used up.
 */
import { Branch, leaf, Loop, quoted, runCommand, Sequence, Task, workflow, type Step } from "forgehand";
import { z } from "zod";

const pattern = z.string().refine((text) => {
  try {
    return new RegExp(text, "u").source !== "";
  } catch {
    return false;
  }
}, "is no regular expression");
const Measure = z.object({
  green: z.boolean(),
  percent: z.number(),
  wrote: z.string(),
  changed: z.array(z.string()),
});
const before = leaf("before", Measure);
const after = leaf("measure", Measure);
const write = leaf("write", z.object({ files: z.array(z.string()), why: z.string() }));

/** Runs the tests, reads the figure, and looks which files are not as they were committed. */
async function measure(step: Step, command: string, figure: string): Promise<z.infer<typeof Measure>> {
  const { exit, stdout, stderr } = await runCommand(step, command, "accept");
  const percent = Number([...stdout.matchAll(new RegExp(figure, "gmu"))].at(-1)?.[1] ?? Number.NaN);
  if (exit === 0 && Number.isNaN(percent))
    throw new Error(`\`${command}\` wrote nothing that matches /${figure}/; say how with \`figure\``);
  const status = await runCommand(step, "git -c core.quotePath=off status --porcelain -uall");
  return {
    green: exit === 0,
    percent: Number.isNaN(percent) ? 0 : percent,
    wrote: `${stdout}\n${stderr}`.trim().slice(-8_000),
    changed: status.stdout.split("\n").flatMap((line) => (line === "" ? [] : [line.slice(3)])),
  };
}

export default workflow({
  name: "coverage-loop",
  input: z.object({
    measure: z.string().default("npm run -s coverage").describe("runs the tests and writes the figure"),
    figure: pattern.default(String.raw`^(?:All files|Statements)[^\d\n]*([\d.]+)`),
    target: z.number().min(1).max(100).default(80).describe("per cent"),
    tests: pattern
      .default(String.raw`(^|/)(tests?|__tests__)/|\.(test|spec)\.\w+$`)
      .describe("files that may change"),
    rounds: z.number().int().min(1).max(20).default(5),
    agent: z.string().default("claude-code"),
  }),
  output: z.object({ from: z.number(), to: z.number(), rounds: z.number(), files: z.array(z.string()) }),
  render: (ctx) => {
    const { target, rounds, agent } = ctx.input;
    const tests = new RegExp(ctx.input.tests, "u");
    const first = ctx.latest(before);
    const last = ctx.latest(after) ?? first;
    const strays = (last?.changed ?? []).filter(
      (file) => first?.changed.includes(file) === false && !tests.test(file),
    );
    const isReached = (one: z.infer<typeof Measure> | undefined): boolean =>
      one !== undefined && one.green && one.percent >= target;
    const perform = (step: Step) => measure(step, ctx.input.measure, ctx.input.figure);
    return (
      <Sequence>
        <Task {...before} retries={0} perform={perform} />
        <Branch
          if={isReached(first)}
          then={undefined}
          else={
            <Loop id="round" max={rounds} until={isReached(ctx.latest(after)) && strays.length === 0}>
              <Task
                {...write}
                agent={agent}
                continues={write}
                prompt={`Raise the test coverage of this repository: it is ${last?.percent ?? 0} %, and ${target} % are wanted. \`${ctx.input.measure}\` measures it.
${last?.green === false ? "The tests do not pass now; put that right first. Is the code wrong, leave it and say so in `why`.\n" : ""}${strays.length > 0 ? `These files are no tests and were changed; take that back: ${JSON.stringify(strays)}\n` : ""}
Write tests for behaviour that nothing tests yet, where a fault would hurt most. Each test must be able to fail: it
asserts what the code should do, not that it runs. Change only files that match /${ctx.input.tests}/. Exclude nothing from
the measure, lower no threshold, skip and delete no test.

${quoted("The end of what the last measure wrote", last?.wrote ?? "")}`}
              />
              <Task {...after} retries={0} perform={perform} />
            </Loop>
          }
        />
      </Sequence>
    );
  },
  result: (ctx) => ({
    from: ctx.output(before).percent,
    to: (ctx.latest(after) ?? ctx.output(before)).percent,
    rounds: ctx.history(write).length,
    files: [...new Set(ctx.history(write).flatMap(({ files }) => files))].toSorted(),
  }),
});
