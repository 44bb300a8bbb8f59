/** The contracts of tracker, forge and voice on a repository of this host; one person alone works there. */
import { readFileSync } from "node:fs";
import { watchFiles } from "../../src/adapters/local/feed.ts";
import { localForge } from "../../src/adapters/local/forge.ts";
import type { AnyRecord } from "../../src/adapters/local/records.ts";
import { changeTicketFile, filesIn, readTicketFile } from "../../src/adapters/local/ticket-folder.ts";
import { localTracker } from "../../src/adapters/local/tracker.ts";
import { localVoice } from "../../src/adapters/local/voice.ts";
import { Trouble } from "../../src/ports.ts";
import type { Hooks } from "../../src/ports-hooks.ts";
import type { People } from "../../src/simulator/fakes/people.ts";
import { openLocalStage, writtenTicket, type LocalStage } from "../local-stage.ts";
import { forgeContract } from "./forge.contract.ts";
import type { Stage } from "./stage.ts";
import { trackerContract } from "./tracker.contract.ts";
import { voiceContract } from "./voice.contract.ts";

/** What a call may have kept. */
function stateOf({ parts }: Pick<LocalStage, "parts">): string {
  const files = [...filesIn(parts.folders).values()].map((path) => readFileSync(path, "utf8"));
  return JSON.stringify([parts.records.all(), parts.records.checks(), files]);
}
const branchesOf = ({ git }: LocalStage): string => git("for-each-ref");
const names: Readonly<Record<string, string>> = {
  openPull: "open a pull request",
  merge: "merge a pull request",
};

async function localStage(): Promise<Stage> {
  const opened = openLocalStage();
  // The suites know tickets of GitHub; which tracker an id names is the home's to say.
  const parts = { ...opened.parts, repo: { ...opened.parts.repo, installation: 1 } };
  const local = { ...opened, parts };
  const writes: { operation: string }[] = [];
  let isLost = false;
  const announced = <Port extends object>(port: Port, look: () => string): Port =>
    new Proxy(port, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return async (...given: readonly unknown[]): Promise<unknown> => {
          const before = look();
          const result: unknown = await Reflect.apply(method, target, given);
          if (look() === before) return result;
          writes.push({ operation: names[String(name)] ?? String(name) });
          if (isLost) {
            isLost = false;
            throw new Trouble("lost", "The process was killed before it could go on.");
          }
          return result;
        };
      },
    });
  return {
    repo: parts.repo,
    forge: announced(localForge(parts), () => stateOf(local) + branchesOf(local)),
    tracker: announced(localTracker(parts), () => stateOf(local)),
    voice: announced(localVoice(parts), () => stateOf(local)),
    // Not asked for by these suites.
    hooks: {} as Hooks,
    people: personOn(local),
    bot: parts.bot,
    writes,
    loseNextReply: () => (isLost = true),
    close: async () => opened.close(),
  };
}

type Pull = Extract<AnyRecord, { is: "pull" }>;

function personOn(local: LocalStage): People {
  const { parts } = local;
  const { records, folders } = parts;
  const pull = (number: number): Pull => {
    const found = records.pull(number);
    if (found === undefined) throw new Error(`there is no pull request ${number}`);
    return found;
  };
  const change = async (by: string, number: number, add: readonly string[], remove: readonly string[]) => {
    changeTicketFile(folders, number, { add, remove });
    await watchFiles({ ...parts, operator: by }, async () => undefined)();
  };
  const nobody = async (): Promise<never> => {
    throw new Error("nobody else is here");
  };
  return {
    join: async () => undefined,
    openIssue: async (author, { title, body }) =>
      writtenTicket({ folders, records }, { title, body, author }),
    label: (by, number, label) => change(by, number, [label], []),
    unlabel: (by, number, label) => change(by, number, [], [label]),
    dependOn: nobody,
    comment: nobody,
    removeComment: nobody,
    push: async (_by, branch, { path, lines }) => local.push(branch, path, "line\n".repeat(lines)),
    review: nobody,
    dismiss: nobody,
    check: nobody,
    requireChecks: nobody,
    remark: nobody,
    reply: nobody,
    editRemark: nobody,
    seeIssue: async (number) => {
      const { closed, labels = [] } = readTicketFile(folders, number)?.ticket ?? {};
      return {
        is: closed === undefined ? "open" : closed === "completed" ? "completed" : "not_planned",
        labels,
      };
    },
    seeComments: async (number) =>
      (records.any(number)?.comments ?? []).map(({ id, marker, body }) => ({
        id,
        by: parts.bot,
        body: `<!-- forgehand:${marker} -->\n${body}`,
      })),
    seeReactions: async (number) => records.any(number)?.reactions ?? [],
    seePull: async (number) => ({ ...pull(number), reviewers: [] }),
    seeReviews: async (number) =>
      pull(number).reviews.map(({ body }, id) => ({ id, by: parts.bot, state: "COMMENTED", body })),
    seeInline: async (number) => pull(number).reviews.flatMap(({ findings }) => findings),
    seeChecks: async (head) =>
      records
        .checks()
        .filter((one) => one.head === head)
        .map(({ name, status, conclusion }) => ({ name, status, conclusion })),
    seeBranch: async (name) =>
      local.git("for-each-ref", "--format=%(objectname)", `refs/heads/${name}`) || undefined,
  };
}

const alone = "one person works here, and nobody else";
const noChecks = "no continuous integration runs here";
const noReviews = "the operator approves through the inbox; the forge keeps no reviews of people";

trackerContract("a repository of this host", localStage, {
  "what an issue waits for is known with how that stands": "dependencies are lines of the text",
});
forgeContract("a repository of this host", localStage, {
  "permissions are told by role; strangers and bots have none": alone,
  "checks are pending, then red, then green": noChecks,
  "a required check that has not reported is pending, and never none": noChecks,
  "where checks are required, only those count, and the others are still listed": noChecks,
  "whether our own check is required is told with the pull request": noChecks,
  "a check tells its conclusion in the forge's word, once it has one": noChecks,
  "a missing required check refuses the merge as pending": noChecks,
  "an armed pull request can be disarmed, each once": "only forgehand merges here",
  "a comment review does not clear an approval": noReviews,
  "an objection stands until the same person approves": noReviews,
  "a dismissed approval is no approval": noReviews,
  "an approval keeps the head it was given on": noReviews,
  "asking for a review keeps what people wrote, once": alone,
});
voiceContract("a repository of this host", localStage, {
  "a stranger's comment with our marker is never taken for ours": alone,
  "a removed comment is written anew": "comments of ours are records that nobody removes",
  "a notice is one issue of ours: opened once, edited, and closed with a last word":
    "what is wrong with a configuration is told by `explain`",
  "findings outside the diff are said in the body": "the terminal shows every finding with its place",
});
