/** Repositories: where forgehand works, and whether work can end there. */
import { z } from "zod";
import type { RepositoryAnswer } from "../../ports-dashboard-repositories.ts";
import type { RoomParts } from "../answer.ts";
import { operation, type Operation } from "./operation.ts";
import { refuse, type Refusal } from "./refusals.ts";
import { count, halted, instant, nothing, repoName } from "./schemas.ts";

const tag = "repositories";

const onboarding = z.union([
  z.object({ is: z.enum(["none", "configured"]) }),
  z.object({ is: z.enum(["proposed", "over"]), pull: count }),
]);
const row = {
  id: z.int(),
  name: z.string(),
  isPrivate: z.boolean(),
  branch: z.string(),
  removedAt: instant.optional(),
  onboarding,
  faults: count.meta({ description: "Of its configuration; nothing new starts there meanwhile." }),
  runtimes: z.array(z.string()),
  autoMerge: z.enum(["never", "with warnings", "possible", "unknown"]),
  missingLabels: count.optional(),
  halt: z.object({ by: z.string(), at: instant }).optional(),
  syncedAt: instant,
};
const finding = z.object({
  is: z.enum(["never", "warn", "ok"]),
  what: z.string(),
  fix: z.string().optional(),
});
const repositories = z
  .object({
    rows: z.array(z.object(row).meta({ id: "RepositoryRow" })),
    next: z.string().optional(),
    now: instant,
    isOperator: z.boolean(),
  })
  .meta({ id: "Repositories" });
const repository = z
  .object({
    ...row,
    now: instant,
    mayAdminister: z.boolean(),
    configAt: z.string().optional(),
    soundAt: z.string().optional(),
    faultsAt: z.array(z.object({ place: z.string(), url: z.string().optional(), message: z.string() })),
    commands: z.array(z.object({ name: z.string(), command: z.string() })),
    looked: z
      .object({ at: instant, missingLabels: z.array(z.string()), merging: z.array(finding).optional() })
      .optional(),
    mayLook: z.boolean(),
    values: z.array(z.object({ key: z.string(), value: z.string(), from: z.string() })),
  })
  .meta({ id: "Repository" });
const done = z.object({ is: z.literal("done") }).meta({ id: "RepositoryDone" });

const byNumber = z.strictObject({
  id: z
    .string()
    .regex(/^\d{1,15}$/u)
    .meta({ description: "Its number, `id` of its row.", examples: ["77"] }),
});
const noRepository = refuse(404, "there is no such repository");

export const repositoryOperations = ({ dashboard, commands }: RoomParts): readonly Operation[] => [
  operation({
    id: "listRepositories",
    method: "get",
    path: "/repositories",
    tag,
    summary: "Repositories",
    says: "Where forgehand works, by name, with what is wrong there.",
    query: z.strictObject({
      after: repoName.optional().meta({ description: "`next` of the page before." }),
    }),
    answer: { status: 200, says: "A page of them.", body: repositories },
    refuses: [],
    handle: async ({ viewer, query }) => await dashboard.repositories.list(viewer, query.after),
  }),
  operation({
    id: "getRepository",
    method: "get",
    path: "/repositories/{id}",
    tag,
    summary: "One repository",
    says: "Its faults, each at its place, every value in force and where it is said, and whether work can be merged there.",
    params: byNumber,
    answer: { status: 200, says: "The repository.", body: repository },
    refuses: [404],
    handle: async ({ viewer, params }) =>
      (await dashboard.repositories.one(viewer, Number(params.id))) ?? noRepository,
  }),
  operation({
    id: "resyncRepository",
    method: "post",
    path: "/repositories/{id}/resync",
    tag,
    summary: "Read its files again",
    says: "And ask the forge about its labels and merges. For whoever administers it.",
    params: byNumber,
    body: nothing,
    bodyIsOptional: true,
    answer: { status: 200, says: "It was read.", body: done },
    refuses: [403, 404, 409],
    handle: async ({ viewer, params }) => {
      const given = await commands.repositories.resync(viewer, Number(params.id));
      return given.is === "done" ? { is: given.is } : refusalOf(given);
    },
  }),
  operation({
    id: "haltRepository",
    method: "post",
    path: "/repositories/{id}/halt",
    tag,
    summary: "Halt it, or lift that",
    says: "For whoever administers it; what an operator halted only an operator lifts. Raised twice, it changes nothing.",
    params: byNumber,
    body: halted.strict().meta({ id: "HaltOrder" }),
    answer: { status: 200, says: "It holds from now on.", body: halted },
    refuses: [403, 404, 409],
    handle: async ({ viewer, params, body }) => {
      const given = await commands.repositories.halt(viewer, Number(params.id), body.is);
      const isSo = given.is === "done" || (given.is === "nothing" && body.is === "raised");
      return isSo ? body : refusalOf(given);
    },
  }),
];

function refusalOf(given: RepositoryAnswer): Refusal {
  switch (given.is) {
    case "unknown":
      return noRepository;
    case "forbidden":
      return refuse(403, "this takes whoever administers it; what an operator halted, an operator lifts");
    case "refused":
      return refuse(409, given.why, { code: "refused" });
    case "nothing":
    case "done":
      return refuse(409, "nobody halted it here", { code: "nothing_to_lift" });
  }
}
