import { readFileSync, readdirSync } from "node:fs";

const readers = [
  { folder: "../../src/adapters/github/", file: /\.ts$/ },
  { folder: "../../src/webhooks/", file: /^read-.*\.ts$/ },
];

/** Names of addresses that our own code reads: those must be there. */
export const readAddresses: ReadonlySet<string> = new Set(
  readers.flatMap(({ folder, file }) => {
    const place = new URL(folder, import.meta.url);
    return readdirSync(place)
      .filter((name) => file.test(name) && !name.includes(".test."))
      .flatMap((name) => readFileSync(new URL(name, place), "utf8").match(/\b\w+_url\b/g) ?? []);
  }),
);

/**
 * The one policy of what the simulated forge may leave out although GitHub publishes it as required: addresses
 * (`url`, `*_url`) and the avatar's id, dozens in every user and repository, unless our own code reads them.
 * Everything else that is required must be there; whatever is there must be as published.
 */
export const mayBeMissing = (name: string): boolean =>
  (/(^|_)url$/.test(name) || name === "gravatar_id") && !readAddresses.has(name);

/** Answers GitHub gives to any call, and which its description of an operation does not repeat. */
export const anywhere: ReadonlyMap<number, string> = new Map([
  [401, "a token that is unknown, expired or revoked"],
  [403, "a token that may not do this"],
]);

/** Answers whose published schema is known to be wrong, and what they are judged by instead. */
export const judgedBy: ReadonlyMap<string, { readonly schema: object; readonly because: string }> = new Map([
  [
    "GET /app/installations",
    {
      schema: { type: "array", items: { $ref: "#/components/schemas/installation" } },
      because:
        "Octokit spells it out with an account that is a user and an enterprise at once; this is GitHub's own",
    },
  ],
  [
    "GET /repos/{owner}/{repo}/issues/{issue_number}/events",
    {
      schema: {
        type: "array",
        items: {
          anyOf: [
            { $ref: "#/components/schemas/issue-event-for-issue" },
            { $ref: "#/components/schemas/state-change-issue-event" },
          ],
        },
      },
      because:
        "plain events such as `closed` are published for the timeline only, and are listed here as well",
    },
  ],
]);

/** Operations that GitHub has and does not publish, and the published one they answer like. */
export const answersLike: ReadonlyMap<string, string> = new Map([
  // A repository that was renamed or moved redirects there; ids are how it is found again.
  ["/repositories/{id}", "/repos/{owner}/{repo}"],
]);

/** Single findings that are no fault of ours. */
export const excused: readonly { readonly finding: RegExp; readonly because: string }[] = [
  {
    finding: /^webhook .*app\/permissions\/merge_queues is not published$/,
    because: "webhooks copy the list of an App's permissions and lack this one, which REST publishes",
  },
  {
    finding: /^webhook pull_request_review\.edited: .*\/repo\/has_discussions is not published$/,
    because:
      "the repository in this one action is an older copy; the other actions publish it with that name",
  },
  {
    finding: /^GET .*\/actions\/jobs\/\{job_id\}\/logs 200: the status 200 is not published$/,
    because: "it redirects, as published, and what is recorded is the end of that way",
  },
];
