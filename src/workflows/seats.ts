/** Who sits in judgement on a head, on which part of it, and what each of them answered. */
import { z } from "zod";
import { families } from "../review/pairing.ts";
import { answerSchema, findingSchema } from "../review/verdict.ts";

/** One reviewer as the repository wants it. */
export const seatSchema = z.object({
  /** Tells it from the others. */
  name: z.string(),
  /** Undefined: as the role of a reviewer is filled. */
  persona: z.string().optional(),
  runtime: z.string().optional(),
  tier: z.enum(["high", "medium", "low"]).optional(),
});
export type Seat = z.infer<typeof seatSchema>;

/** The only seat where no panel is configured. */
export const singleSeat: Seat = { name: "reviewer" };

/** What a review begins with. */
export const openedSchema = z.object({
  head: z.string(),
  seats: z.array(seatSchema),
  /** Parts in which the change is read. */
  parts: z.number().int().min(0),
  /** Reviewers whose verdict must count. */
  quorum: z.number().int().min(0),
  /** The families that built the head, as observed. */
  builder: z.string(),
  /** Why nobody is asked. */
  why: z.string().optional(),
});
export type Opened = z.infer<typeof openedSchema>;

/** What came of one reviewer at one part. */
export const sittingSchema = z.object({
  seat: z.string(),
  part: z.number().int(),
  family: z.enum(families),
  models: z.array(z.string()),
  answer: z.discriminatedUnion("is", [
    z.object({
      is: z.enum(["pass", "fail"]),
      findings: z.array(findingSchema),
      earlier: z.array(answerSchema),
      summary: z.string(),
    }),
    /** It gave no verdict that counts. */
    z.object({ is: z.literal("blocked"), why: z.string() }),
  ]),
});
export type Sitting = z.infer<typeof sittingSchema>;

/** Names the leaf; the one reviewer of a change that is read in one part has the plain name. */
export const leafOf = ({ seats, parts }: Opened, seat: Seat, part: number): string =>
  ["judge", ...(seats.length === 1 ? [] : [seat.name]), ...(parts === 1 ? [] : [String(part + 1)])].join("/");

/** Every leaf of a review, with who sits there and at what. */
export const sittingsOf = (
  opened: Opened,
): readonly { readonly leaf: string; readonly seat: Seat; readonly part: number }[] =>
  opened.seats.flatMap((seat) =>
    Array.from({ length: opened.parts }, (_, part) => ({ leaf: leafOf(opened, seat, part), seat, part })),
  );
