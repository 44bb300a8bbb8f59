/** Every merge leaves a certificate: in the ledger, in the check run, linked from the workpad, and it holds offline. */
import { afterEach, expect, test } from "vitest";
import { openClone } from "../../src/adapters/git/clone-reader.ts";
import { certificateSchema } from "../../src/certificate/schema.ts";
import { verifyCertificate } from "../../src/certificate/verify.ts";
import { Trouble } from "../../src/ports.ts";
import { digest } from "../../src/review/canonical.ts";
import {
  approvedAndMerged,
  certified,
  cloneOf,
  fed,
  headOf,
  idOf,
  ledgerLines,
  mergeByHand,
  released,
} from "../certificate/merged.ts";
import { openWorld, pass, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

/** What somebody finds who has only the certificate, a clone and the ledger. */
async function faultsOf(issue: number): Promise<readonly string[]> {
  const { certificate, hash } = await certified(world, issue);
  const clone = await openClone(await cloneOf(world, `clone-${issue}`), process.env["PATH"] ?? "");
  if (clone === undefined) throw new Error("no clone");
  const { faults } = await verifyCertificate(
    { certificate, hash },
    { clone, ledger: fed(await ledgerLines(world)), anchors: [] },
  );
  await clone.close();
  return faults.map(({ field, why }) => `${field}: ${why}`);
}
const gateOf = (head: string) =>
  world.repo.checkRuns.findLast((run) => run.head === head && run.appId === world.hub.state.app.id);
const workpadOf = (issue: number): string =>
  world.people.thread(issue).comments.find(({ body }) => body.includes("forgehand workpad"))?.body ?? "";

test("a merge after an approval is certified whole, and leaves nothing unproven", async () => {
  world = await openWorld();
  const issue = await approvedAndMerged(world);
  const pull = await world.pullOf(issue);
  const { certificate, hash } = await certified(world, issue);
  expect(certificate).toMatchObject({
    ref: `acme/web#${issue}`,
    pull: { number: pull, base: "main" },
    head: headOf(world, pull),
    spec: { by: "bob", permission: "write" },
    builders: [
      { runtime: "claude-code", family: "anthropic", models: ["claude-opus-5-5"], seen: "observed" },
    ],
    review: {
      outcome: "passed",
      stands: true,
      evidence: {
        reviewers: [{ runtime: "codex", family: "openai", models: ["gpt-5.5"], seen: "observed" }],
        findings: { blocker: 0, polish: 0, future: 0 },
      },
    },
    gates: [],
    consent: { how: "approval", by: "bob", permission: "write", head: headOf(world, pull) },
    checks: {
      seen: "before",
      list: [
        { name: "lint", conclusion: "success", app: null },
        { name: "unit", conclusion: "success", app: "ci" },
      ],
    },
    merge: {
      commit: world.people.thread(pull).pull?.merged,
      method: "squash",
      by: { login: "forgehand[bot]", kind: "forgehand" },
    },
    cost: { usd: 0.06, guessed: false, inputTokens: 3000, outputTokens: 300, sessions: 3 },
    gaps: [],
  });
  const lines = await world.forgehand.store.linesOf(idOf(world, issue));
  const judged = lines.flatMap(({ event }) => (event.type === "review.passed" ? [event.evidence] : []));
  expect(Object.keys(JSON.parse(judged[0]?.rules ?? "{}") as object)).toEqual([
    "largest",
    "mediator",
    "panel",
    "polishBlocks",
    "protectedPaths",
    "quorum",
  ]);
  expect(await faultsOf(issue)).toEqual([]);
  const gate = gateOf(headOf(world, pull));
  expect(gate).toMatchObject({ conclusion: "success", output: { title: "Merged" } });
  const told = /```json\n([\s\S]*?)\n```/u.exec(String(gate?.output.text))?.[1] ?? "";
  expect(digest(certificateSchema.parse(JSON.parse(told)))).toBe(hash);
  expect(workpadOf(issue)).toContain(
    `[Merge certificate \`${hash.slice(0, 12)}\`](${certificate.pull?.url}/checks)`,
  );
});

test("a merge by the label auto-merge names who set it, and with what permission", async () => {
  world = await openWorld();
  const issue = released(world, ["auto-merge"]);
  await world.untilState(issue, "Done");
  await world.settled();
  const { certificate } = await certified(world, issue);
  expect(certificate.consent).toMatchObject({ how: "auto-merge", by: "bob", permission: "write" });
  expect(certificate.gaps).toEqual(["checks-none"]);
  expect(await faultsOf(issue)).toEqual([]);
});

test("a merge commit keeps the reviewed head as its second parent, and the certificate says so", async () => {
  world = await openWorld({
    config: "merge: { settle_seconds: 0, method: merge }\nlimits: { feedback_seconds: 0 }\n",
  });
  const issue = released(world);
  await world.untilState(issue, "In Review");
  await world.settled();
  await world.people.push("main", "ada", { "meanwhile.txt": "meanwhile\n" });
  await world.people.approve(await world.pullOf(issue), "bob");
  await world.untilState(issue, "Done");
  await world.settled();
  const { certificate } = await certified(world, issue);
  expect(certificate.merge.method).toBe("merge");
  expect(certificate.merge.parents?.[1]).toBe(certificate.head);
  expect(certificate.review?.evidence?.base).not.toBe(certificate.merge.parents?.[0]);
  expect(await faultsOf(issue)).toEqual([]);
});

test("a person who merges by hand what nobody reviewed gets a certificate that says so", async () => {
  world = await openWorld();
  const issue = released(world);
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  const reviewed = headOf(world, pull);
  const { people, hub } = world;
  // Nobody hears of the push before it is merged.
  hub.courier.deliver = (delivery) => (delivery.action === "closed" ? [delivery] : []);
  await people.push(people.thread(pull).pull?.headRef ?? "", "ada", { "src/unseen.txt": "unseen\n" });
  await mergeByHand(world, pull, "ada");
  await world.untilState(issue, "Done");
  hub.courier.deliver = undefined;
  await world.settled();
  const { certificate } = await certified(world, issue);
  expect(certificate).toMatchObject({
    head: headOf(world, pull),
    review: null,
    reviewedBefore: reviewed,
    consent: null,
    merge: { by: { login: "ada", kind: "person", permission: "admin" }, method: "unknown" },
  });
  expect(certificate.gaps).toEqual([
    "head-not-reviewed",
    "no-consent",
    "checks-none",
    "checks-seen-afterwards",
    "merged-by-a-person",
  ]);
  expect(await faultsOf(issue)).toEqual([]);
  expect(gateOf(certificate.head)).toMatchObject({
    conclusion: "neutral",
    output: { title: "Merged by hand: no review passed this head" },
  });
  expect(workpadOf(issue)).toContain("it does not prove: this head was never reviewed");
  const notices = people.thread(issue).comments.map(({ body }) => body);
  expect(notices.some((body) => body.includes("No review passed this head."))).toBe(true);
});

test("what a person merges by hand although a review passed it lacks only what is missing", async () => {
  world = await openWorld();
  const issue = released(world);
  await world.untilState(issue, "In Review");
  await world.settled();
  await mergeByHand(world, await world.pullOf(issue), "ada", "merge");
  await world.untilState(issue, "Done");
  await world.settled();
  const { certificate } = await certified(world, issue);
  expect(certificate.review).toMatchObject({ outcome: "passed", stands: true });
  expect(certificate.merge.method).toBe("merge");
  expect(certificate.gaps).toEqual([
    "no-consent",
    "checks-none",
    "checks-seen-afterwards",
    "merged-by-a-person",
  ]);
  expect(await faultsOf(issue)).toEqual([]);
});

test("a head that a review failed is certified as such when a person merges it", async () => {
  const blocker = { title: "it is wrong", body: "", grade: "blocker", path: null, line: null, kind: null };
  world = await openWorld({
    scenes: [
      {
        role: "review",
        steps: [usage, { answer: { ...pass, verdict: "fail", findings: [blocker] } }],
      },
    ],
    config: "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0, cycles: 1 }\n",
  });
  const issue = released(world);
  await world.untilState(issue, "Blocked");
  await world.settled();
  await mergeByHand(world, await world.pullOf(issue), "ada");
  await world.untilState(issue, "Done");
  await world.settled();
  const { certificate } = await certified(world, issue);
  expect(certificate.review).toMatchObject({ outcome: "failed", stands: false, evidence: null });
  expect(certificate.gaps).toContain("review-not-passed");
  expect(await faultsOf(issue)).toEqual([]);
});

test("a certificate waits for a forge that cannot be reached, however long, and is made once", async () => {
  // The watch over the base would stand before it in the queue that is hurried here.
  world = await openWorld({ config: "after_merge: { watch_minutes: 0 }\n" });
  const { shop, store } = world.forgehand;
  const real = shop.forge.commit.bind(shop.forge);
  let left = 14;
  Object.assign(shop.forge, {
    commit: async (...args: Parameters<typeof real>) => {
      left -= 1;
      if (left > 0) throw new Error("502");
      return await real(...args);
    },
  });
  const issue = released(world, ["auto-merge"]);
  await world.untilState(issue, "Done");
  await world.until("certified", async () => {
    for (const sending of await store.sendable(Number.MAX_SAFE_INTEGER, 100))
      if (sending.effect.type === "merge.certify") await store.snooze(sending, 0, "hurried");
    shop.poke("outbox");
    return world.steps.some(({ event }) => event === "merge.certified");
  });
  await world.settled();
  expect(world.steps.filter(({ event }) => event === "merge.certified")).toHaveLength(1);
  expect(await faultsOf(issue)).toEqual([]);
});

test("what the forge refuses to show leaves a gap, and the rest is certified", async () => {
  world = await openWorld();
  const { shop } = world.forgehand;
  Object.assign(shop.forge, {
    commit: async () => {
      throw new Trouble("github-forbidden", "no", { permanent: true });
    },
  });
  const issue = released(world, ["auto-merge"]);
  await world.untilState(issue, "Done");
  await world.settled();
  const { certificate } = await certified(world, issue);
  expect(certificate.merge).toMatchObject({ tree: null, parents: null, method: "unknown" });
  expect(certificate.gaps).toContain("merge-not-readable");
  expect(await faultsOf(issue)).toEqual([]);
});

test("a ticket that is reopened and merged again has a certificate of each merge", async () => {
  world = await openWorld({
    scenes: [
      {
        role: "build",
        file: { path: "src/done.txt", contains: "done" },
        steps: [usage, { write: { path: "src/more.txt", text: "more\n" } }, { done: "wrote more" }],
      },
    ],
  });
  const issue = released(world, ["auto-merge"]);
  await world.untilState(issue, "Done");
  await world.settled();
  const first = await certified(world, issue);
  world.people.reopenIssue(issue, "bob");
  await world.untilState(issue, "Backlog");
  await world.settled();
  world.people.label(issue, "agent-ready", "bob");
  await world.until(
    "merged again",
    () => world.steps.filter(({ event }) => event === "merge.certified").length === 2,
  );
  await world.settled();
  const second = await certified(world, issue);
  expect(second.hash).not.toBe(first.hash);
  expect(second.certificate.merge.commit).not.toBe(first.certificate.merge.commit);
  expect(await faultsOf(issue)).toEqual([]);
});
