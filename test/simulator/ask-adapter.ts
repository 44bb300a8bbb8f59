/** What only some plays come to: the adapter itself asks the forge for it. */
import { expect } from "vitest";
import { openGitHub, type GitHub } from "../../src/adapters/github/app.ts";
import { githubTracker } from "../../src/adapters/github/issues.ts";
import { openPullAccess } from "../../src/adapters/github/pull-review.ts";
import { githubVoice } from "../../src/adapters/github/voice.ts";
import { githubForge } from "../../src/adapters/github/github.ts";
import type { PullRef, Repo } from "../../src/ports.ts";
import { key } from "../contract/stage.ts";
import type { Stand } from "./forge-stand.ts";

const clock = { now: () => Date.now() };
const scrub = (text: string): string => text;

/** Conversations, findings that come back, a queue, an issue of ours, and a review of a pull request that is nobody's ticket. */
export async function askThroughAdapter(stand: Stand): Promise<void> {
  const { hub, repo: sim, people } = stand;
  const { app } = hub.state;
  const memory = new Map<string, string>();
  const github = openGitHub({
    appId: app.id,
    privateKey: app.privateKey,
    apiUrl: hub.url,
    userAgent: "forgehand-test",
    clock,
    remember: {
      get: async (name) => memory.get(name),
      set: async (name, value) => void memory.set(name, value),
    },
    scrub,
  });
  const repo: Repo = {
    id: sim.id,
    owner: sim.owner,
    name: sim.name,
    installation: app.installation,
    defaultBranch: sim.defaultBranch,
    private: false,
  };
  const head = await people.push("work", "bob", { "a.txt": "one\nthree\n" });
  const forge = githubForge(github);
  const accountOf = (login: string): number => hub.state.people.get(login)?.id ?? 0;
  expect(await forge.loginOf(repo, accountOf("bob"))).toBe("bob");
  // A bot is nobody who may do anything, and an account that is gone is nobody at all.
  expect(await forge.loginOf(repo, accountOf(`${app.slug}[bot]`))).toBeUndefined();
  expect(await forge.loginOf(repo, 999_999_999)).toBeUndefined();
  const draft = { repo, branch: "work", base: "main", title: "t", region: "r", draft: false };
  const pull = await forge.openPull(key("open"), draft);
  await talk(stand, github, pull, head);
  await queue(stand, github, pull, head);
  const tracker = githubTracker(github, () => []);
  await tracker.openIssue(key("issue"), repo, "revert 1", { title: "Revert it", body: "It broke." });
  await reviewStandAlone(stand, pull);
}

async function talk(stand: Stand, github: GitHub, pull: PullRef, head: string): Promise<void> {
  const [forge, voice, { people }] = [githubForge(github), githubVoice(github), stand];
  const at = { path: "a.txt", line: 2 };
  expect(await forge.threads({ ...pull, number: 9999 })).toEqual([]);
  await voice.postReview(key("review"), pull, head, "Not yet", [{ ...at, body: "wrong", id: "f1" }]);
  for (const thread of ["resolved", "open"] as const)
    await voice.updateFindings(key(thread), pull, [{ id: "f1", body: thread, thread }]);
  const root = await people.inline(pull.number, "bob", "Why?", at);
  people.editInline(pull.number, "ada", root, "Why not?");
  await voice.replyInThread(key("reply"), pull, root, "thread 1-1", "Because.");
  const threads = await forge.threads(pull);
  expect(threads).toHaveLength(2);
  await voice.resolveThread(key("end"), pull, threads.at(-1)?.id ?? "");
  await voice.resolveThread(key("end"), pull, "PRRT_0");
}

async function queue(stand: Stand, github: GitHub, pull: PullRef, head: string): Promise<void> {
  const [forge, { people }] = [githubForge(github), stand];
  people.protect("main", { checks: ["ci"], approvals: 0, queue: "squash" });
  await people.check(head, "ci", "success");
  expect((await forge.standing(pull))?.unresolved).toBe(1);
  expect(await forge.enqueue(key("queue"), pull, head)).toMatchObject({ is: "queued" });
  expect(await forge.queue(pull.repo, "main")).toHaveLength(1);
  await forge.disarm(key("out"), pull);
  expect(await forge.queue(pull.repo, "main")).toEqual([]);
}

async function reviewStandAlone(stand: Stand, { repo, number }: PullRef): Promise<void> {
  const options = { apiUrl: stand.hub.url, clock, scrub };
  const credentials = { is: "token", token: await stand.token() } as const;
  const access = openPullAccess({ owner: repo.owner, repo: repo.name, number }, credentials, options);
  const review = { findings: [], listed: () => "", outdated: "A newer head was reviewed since." };
  const { head } = await access.change();
  await access.post({ ...review, head, body: "fail" });
  await access.post({ ...review, head, body: "pass" });
}
