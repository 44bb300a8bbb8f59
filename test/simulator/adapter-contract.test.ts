import { openGitHub, type ExternalWrite, type GitHub } from "../../src/adapters/github/app.ts";
import { githubHooks } from "../../src/adapters/github/hooks.ts";
import { githubTracker } from "../../src/adapters/github/issues.ts";
import { githubVoice } from "../../src/adapters/github/voice.ts";
import { githubForge } from "../../src/adapters/github/github.ts";
import type { Repo } from "../../src/ports.ts";
import type { People as Cast } from "../../src/simulator/fakes/people.ts";
import { startHub, type RunningHub } from "../../src/simulator/hub/hub.ts";
import { peopleOn } from "../../src/simulator/hub/people.ts";
import type { SimRepo } from "../../src/simulator/hub/state.ts";
import { forgeContract } from "../contract/forge.contract.ts";
import { hooksContract, type HooksStage } from "../contract/hooks.contract.ts";
import { cast, type Stage } from "../contract/stage.ts";
import { threadsContract } from "../contract/threads.contract.ts";
import { trackerContract } from "../contract/tracker.contract.ts";
import { voiceContract } from "../contract/voice.contract.ts";

/** The GitHub adapter on a repository of the simulated forge. */
async function onTheForge(onWrite?: (write: ExternalWrite) => void): Promise<{
  readonly hub: RunningHub;
  readonly sim: SimRepo;
  readonly repo: Repo;
  readonly github: GitHub;
}> {
  const hub = await startHub();
  const sim = await hub.seed({ owner: "ada", name: "shop", files: { "README.md": "# shop\n" } });
  const { app } = hub.state;
  const memory = new Map<string, string>();
  const github = openGitHub({
    appId: app.id,
    privateKey: app.privateKey,
    apiUrl: `${hub.url}/api/v3`,
    userAgent: "forgehand-test",
    clock: { now: () => Date.now() },
    remember: {
      get: async (name) => memory.get(name),
      set: async (name, value) => void memory.set(name, value),
    },
    scrub: (text) => text,
    onWrite,
  });
  const repo: Repo = {
    id: sim.id,
    owner: sim.owner,
    name: sim.name,
    installation: app.installation,
    defaultBranch: sim.defaultBranch,
    private: false,
  };
  return { hub, sim, repo, github };
}

async function forgeStage(): Promise<Stage> {
  const writes: ExternalWrite[] = [];
  const { hub, sim, repo, github } = await onTheForge((write) => void writes.push(write));
  const people = castOn(hub, sim);
  for (const [login, permission] of Object.entries(cast)) await people.join(login, permission);
  const words = ["agent-ready", "needs-spec", "harness-blocked", "auto-merge"];
  return {
    repo,
    forge: githubForge(github),
    tracker: githubTracker(github, () =>
      words.map((name) => ({ label: name, name, color: "ededed", description: name })),
    ),
    voice: githubVoice(github),
    hooks: githubHooks(github),
    people,
    bot: `${hub.state.app.slug}[bot]`,
    writes,
    loseNextReply: () =>
      hub.fail({
        method: /^(POST|PUT|PATCH|DELETE)$/,
        path: /(?<!access_tokens)$/,
        status: "reset",
        after: true,
      }),
    close: () => hub.close(),
  };
}

async function hooksStage(): Promise<HooksStage> {
  const { hub, sim, repo, github } = await onTheForge();
  const people = peopleOn(hub, sim);
  const hooks = githubHooks(github);
  let kept: Promise<unknown> = Promise.resolve();
  return {
    repo,
    hooks: {
      ...hooks,
      file: async (...asked) => {
        await kept;
        return await hooks.file(...asked);
      },
      folder: async (...asked) => {
        await kept;
        return await hooks.folder(...asked);
      },
    },
    get head() {
      return sim.branches.get("main") ?? "";
    },
    tell: ({ guid, name, payload, at, arrived }) =>
      void hub.state.deliveries.push({
        id: hub.id(),
        guid,
        name,
        action: undefined,
        redelivery: false,
        body: JSON.stringify(payload),
        at,
        status: arrived ? 202 : 502,
      }),
    keep: (path, text) => {
      kept = kept.then(() => people.push("main", "ada", { [path]: text }));
    },
    close: () => hub.close(),
  };
}

/** The people of the contract suites, on the simulated forge. */
function castOn(hub: RunningHub, repo: SimRepo): Cast {
  const people = peopleOn(hub, repo);
  const { state } = hub;
  const pullOf = (number: number) => {
    const { pull } = people.thread(number);
    if (pull === undefined) throw new Error(`#${number} is no pull request`);
    return pull;
  };
  return {
    join: async (login, permission) => people.person(login, permission),
    openIssue: async (by, issue) => people.openIssue({ by, ...issue }),
    label: async (by, number, label) => people.label(number, label, by),
    unlabel: async (by, number, label) => people.unlabel(number, label, by),
    dependOn: async (_by, number, other) =>
      people.blockedBy(number, [...(people.thread(number).blockedBy ?? []), other]),
    comment: async (by, number, body) => people.comment(number, by, body),
    removeComment: async (by, id) => people.deleteComment(id, by),
    push: (by, branch, { path, lines }) => {
      const text = Array.from({ length: lines }, (_, n) => `line ${n + 1} of ${path} on ${branch}\n`);
      return people.push(branch, by, { [path]: text.join("") });
    },
    review: async (by, number, is, body) => {
      if (is === "APPROVE") await people.approve(number, by, { body });
      else if (is === "REQUEST_CHANGES") await people.requestChanges(number, by, body);
      else await people.comments(number, by, body);
      return pullOf(number).reviews.at(-1)?.id ?? 0;
    },
    remark: (by, number, at, body) => people.inline(number, by, body, at),
    reply: (by, number, to, body) => people.reply(number, by, to, body),
    editRemark: async (by, number, id, body) => people.editInline(number, by, id, body),
    dismiss: async (_by, number, id) => {
      const review = pullOf(number).reviews.find((one) => one.id === id);
      await people.dismiss(number, review?.by ?? "");
    },
    check: (head, name, is) =>
      people.check(head, name, ({ green: "success", red: "failure", pending: "pending" } as const)[is]),
    requireChecks: async (checks) => people.protect(repo.defaultBranch, { checks, approvals: 0 }),
    seeIssue: async (number) => {
      const { state: is, reason } = people.thread(number);
      return {
        is: is === "open" ? "open" : reason === "not_planned" ? "not_planned" : "completed",
        labels: people.labels(number),
      };
    },
    seeComments: async (number) => people.thread(number).comments,
    seeReactions: async (number) => people.thread(number).reactions.map(({ content }) => content),
    seePull: async (number) => {
      const { body, state: is } = people.thread(number);
      const { draft, requested } = pullOf(number);
      return { body, draft, open: is === "open", reviewers: requested };
    },
    seeReviews: async (number) => pullOf(number).reviews,
    seeInline: async (number) => pullOf(number).inline,
    seeChecks: async (head) =>
      repo.checkRuns
        .filter((run) => run.head === head)
        .map(({ name, status, conclusion }) => ({ name, status, conclusion: conclusion ?? undefined })),
    seeBranch: async (name) => state.repos.find(({ id }) => id === repo.id)?.branches.get(name),
  };
}

const name = "GitHub adapter on the simulated forge";
forgeContract(name, forgeStage, {});
trackerContract(name, forgeStage);
voiceContract(name, forgeStage, {});
threadsContract(name, forgeStage);
hooksContract(name, hooksStage);
