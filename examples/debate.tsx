/**
 * Lets two agents argue for two ways to do something, has a third judge them on this code, and leaves the choice to you.
 *
 *   forgehand workflow run examples/debate.tsx \
 *     --input '{"question":"How do we keep sessions?","sides":["in signed cookies","in the database"],"opponent":"codex"}'
 *
 * At the end it shows the judgement and waits: `forgehand answer RUN choice '{"choice":"in the database"}'`. Nothing changes. Each
 * side goes on in its own session from round to round, through interruptions too.
 */
import {
  Argument,
  Choose,
  ChoiceAnswer,
  Debate,
  debated,
  leaf,
  quoted,
  Sequence,
  Task,
  workflow,
  type DebateOutput,
} from "forgehand";
import { z } from "zod";

const debate = debated("debate");
const choice = leaf("choice", ChoiceAnswer);
const argument = (side: string, round: number) => leaf(`round-${round}/${side}`, Argument);

const heard = (said: DebateOutput["said"]): string =>
  quoted(
    "What was said so far",
    said.map(({ side, round, text }) => `Round ${round}, for "${side}":\n${text}`).join("\n\n"),
    40_000,
  );

export default workflow({
  name: "debate",
  input: z.object({
    question: z.string().min(1),
    sides: z.tuple([z.string().min(1).max(60), z.string().min(1).max(60)]).describe("two answers to it"),
    rounds: z.number().int().min(1).max(5).default(2),
    agent: z.string().default("claude-code").describe("argues for the first side"),
    opponent: z.string().optional().describe("argues for the second; the first one's agent unless said"),
    judge: z.string().optional(),
    who: z.array(z.string()).min(1).optional().describe("who may choose; anybody at this host when left out"),
  }),
  output: z.object({
    chosen: z.string(),
    by: z.string(),
    note: z.string(),
    judged: z.string(),
    why: z.string(),
    said: z.array(z.object({ side: z.string(), round: z.number(), text: z.string() })),
  }),
  render: (ctx) => {
    const { question, sides, rounds, agent, opponent = agent, judge = agent, who } = ctx.input;
    const judgement = ctx.latest(debate);
    return (
      <Sequence>
        <Debate
          id={debate.id}
          sides={sides}
          rounds={rounds}
          argue={({ leaf: own, side, round, said }) => (
            <Task
              {...own}
              agent={side === sides[0] ? agent : opponent}
              access="read"
              {...(round > 1 && { continues: argument(side, round - 1) })}
              prompt={`The question: ${question}
You argue for: ${JSON.stringify(side)}. Against you stands: ${JSON.stringify(side === sides[0] ? sides[1] : sides[0])}. This is round ${round} of ${rounds}.
Argue from this repository: name files, numbers and costs that can be checked, and look before you claim. Answer the strongest point
of the other side, concede what is true, and use at most 250 words.${round > 1 ? `\n\n${heard(said)}` : ""}`}
            />
          )}
          judge={({ leaf: own, said }) => (
            <Task
              {...own}
              agent={judge}
              access="read"
              prompt={`Judge a debate about this question: ${question}
Check in this repository the claims that it turns on; a claim that you cannot confirm counts for nothing, however well put. Then
name as \`winner\` ${sides.map((side) => JSON.stringify(side)).join(" or ")}, or "draw" when the code does not decide it. Say in \`why\` on which checked facts you decide, and
what would change your mind, in at most 150 words.

${heard(said)}`}
            />
          )}
        />
        <Choose
          id={choice.id}
          ask={`${question}\n\nThe judge is for: ${judgement?.winner ?? ""}\n${judgement?.why ?? ""}`}
          options={sides}
          {...(who && { who })}
          about={ctx.digest(debate)}
        />
      </Sequence>
    );
  },
  result: (ctx) => {
    const { winner, why, said } = ctx.output(debate);
    const { choice: chosen, by, note } = ctx.output(choice);
    return { chosen, by, note, judged: winner, why, said };
  },
});
