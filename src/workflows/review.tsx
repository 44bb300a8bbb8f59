import { z } from "zod";
import { Branch, Parallel, Sequence, Try } from "../engine/components.ts";
import { Task } from "../engine/task.ts";
import { workflow, type Context, type Workflow } from "../engine/workflow.ts";
import { Trouble } from "../ports.ts";
import { mediateReview } from "./mediation.ts";
import { judge, openReview } from "./judge.ts";
import { ticketInput, type TicketInput } from "./report.ts";
import { openedSchema, sittingSchema, sittingsOf, type Opened, type Sitting } from "./seats.ts";
import {
  blockedReview,
  reviewOutput,
  settledReview,
  settleReview,
  type ReviewOutput,
  type SettledReview,
} from "./settle-review.ts";
import type { TicketWork } from "./work.ts";

/** Reviewers at work at once; each has a place of its own. */
const sideBySide = 3;

/** Another family judges exactly this head, cold and read-only: one reviewer, or a panel. */
export const review = (work: TicketWork): Workflow<TicketInput, ReviewOutput> =>
  workflow({
    name: "review",
    input: ticketInput,
    output: reviewOutput,
    render: (ctx) => {
      const opened = ctx.latest("open", openedSchema);
      const isAsked = opened !== undefined && opened.why === undefined;
      return (
        <Sequence>
          <Task id="open" output={openedSchema} perform={() => openReview(work, ctx.input)} />
          <Branch if={isAsked} then={opened === undefined ? undefined : asked(work, ctx, opened)} />
        </Sequence>
      );
    },
    result: (ctx) => {
      const opened = ctx.latest("open", openedSchema);
      const mediated = ctx.latest("mediate", reviewOutput);
      const settled = ctx.latest("settle", settledReview);
      if (settled !== undefined) return mediated ?? settled.output;
      if (opened?.why === undefined)
        throw new Trouble("review-unread", "The review ended without an answer.", { permanent: true });
      return blockedReview(opened.head, opened.why, {
        families: { builder: opened.builder, reviewer: "unknown" },
        models: [],
      });
    },
  });

function asked(work: TicketWork, ctx: Context<TicketInput>, opened: Opened) {
  const seats = sittingsOf(opened);
  const sittings = seats.flatMap(
    ({ leaf }) => ctx.latest(leaf, sittingSchema) ?? ctx.latest(`absent/${leaf}`, sittingSchema) ?? [],
  );
  const settled = ctx.latest("settle", settledReview);
  return (
    <Sequence>
      <Parallel max={sideBySide}>
        {seats.map(({ leaf, seat, part }) => {
          const sit = (
            <Task
              id={leaf}
              output={sittingSchema}
              perform={(step) => judge(work, ctx.input, { opened, seat, part }, step)}
            />
          );
          // Where fewer are enough, one that cannot come at all does not end the others' work.
          return opened.quorum < opened.seats.length ? (
            <Try catch={absent(leaf, seat.name, part)}>{sit}</Try>
          ) : (
            sit
          );
        })}
      </Parallel>
      <Task
        id="settle"
        output={settledReview}
        perform={(step) => settleReview(work, ctx.input, { opened, sittings }, step)}
      />
      <Branch
        if={settled?.dispute !== undefined}
        then={settled === undefined ? undefined : mediating(work, ctx, settled)}
      />
    </Sequence>
  );
}

/** A mediator that cannot come leaves the dispute to a person, as it was settled before it was asked. */
const mediating = (work: TicketWork, ctx: Context<TicketInput>, settled: SettledReview) => (
  <Try catch={<Task id="unmediated" output={z.literal("no mediator came")} value="no mediator came" />}>
    <Task
      id="mediate"
      output={reviewOutput}
      perform={(step) => mediateReview(work, ctx.input, settled, step)}
    />
  </Try>
);

const absent = (leaf: string, seat: string, part: number) => {
  const value: Sitting = {
    seat,
    part,
    family: "unknown",
    models: [],
    answer: { is: "blocked", why: "it could not work; its task says why" },
  };
  return <Task id={`absent/${leaf}`} output={sittingSchema} value={value} />;
};
