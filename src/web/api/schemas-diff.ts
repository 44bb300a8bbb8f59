/** The change of a ticket, as its page shows it. */
import { z } from "zod";
import { count, finding, sha, ticketId } from "./schemas.ts";

const line = z.object({
  sign: z.enum(["+", "-", " "]),
  line: count.meta({ description: "In the new file; of a removed line in the old one." }),
  text: z.string(),
  findings: z.array(finding),
});
const file = z
  .object({
    path: z.string(),
    oldPath: z.string().optional(),
    is: z.enum(["added", "deleted", "renamed", "modified"]),
    isBinary: z.boolean(),
    added: count,
    removed: count,
    signs: z.array(z.string()).meta({ description: "Why a person has to look at it." }),
    hunks: z.array(z.object({ heading: z.string(), lines: z.array(line) })),
    findings: z.array(finding).meta({ description: "Those on lines that are not shown." }),
    isCut: z.boolean(),
  })
  .meta({ id: "DiffFile" });
export const diff = z
  .object({
    ref: z.string(),
    id: ticketId,
    title: z.string(),
    rounds: z.array(
      z.object({ number: count, head: sha, verdict: z.enum(["pass", "fail", "blocked"]).optional() }),
    ),
    round: count.optional(),
    since: count.optional(),
    base: sha.optional(),
    head: sha.optional(),
    missing: z.string().optional().meta({ description: "Why there is nothing to show." }),
    files: z.array(file),
    fileCount: count.meta({ description: "Of the whole change, whatever is shown of it." }),
    findings: z.array(finding).meta({ description: "Those that name no file of the change." }),
    isCut: z.boolean().meta({ description: "There is more than is shown." }),
  })
  .meta({ id: "Diff", description: "The change of one round, with what the round found on its lines." });
