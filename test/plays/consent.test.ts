import { afterEach, expect, test } from "vitest";
import { Trouble } from "../../src/ports.ts";
import type { SimDelivery } from "../../src/simulator/hub/state.ts";
import { fine, openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());
const open = (labels: readonly string[] = ["agent-ready"]): number => {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  for (const label of labels) world.people.label(issue, label, "bob");
  return issue;
};
const headOf = (pull: number): string => world.people.thread(pull).pull?.head ?? "";
const reconciled = async (): Promise<void> => {
  world.forgehand.reconcile();
  await world.settled();
};

/** What GitHub tells when a person presses "Disable auto-merge". */
const switchAutoMergeOff = (pull: number, by: string): void => {
  const { people, hub, repo } = world;
  const thread = people.thread(pull);
  if (thread.pull !== undefined) thread.pull.auto = undefined;
  hub.courier.send(repo, "pull_request", "auto_merge_disabled", by, {
    number: pull,
    pull_request: {
      number: pull,
      state: "open",
      merged: false,
      head: { ref: thread.pull?.headRef, sha: headOf(pull), repo: { id: repo.id } },
      base: { ref: "main", sha: repo.branches.get("main") },
      user: { login: "x", id: 1, type: "Bot" },
    },
  });
};

test("an objection to a ticket that is Merging stops the merge at once, not after the reviewers' pause", async () => {
  world = await openWorld({ config: "merge: { settle_seconds: 0 }\n" });
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  await people.check(headOf(pull), "ci", "pending");
  await people.approve(pull, "bob");
  await world.untilState(issue, "Merging");
  await world.settled();
  await people.requestChanges(pull, "ada", "This drops the user table. Do not merge.");
  await world.settled();
  await people.check(headOf(pull), "ci", "success");
  await world.settled();
  expect(people.thread(pull).pull?.merged ?? undefined).toBeFalsy();
  expect(await world.stateOf(issue)).not.toBe("Done");
});

test("consent that a person took back by switching auto-merge off stays taken back when the reconciler looks", async () => {
  world = await openWorld();
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  await people.check(headOf(pull), "ci", "pending");
  await people.approve(pull, "bob");
  await world.untilState(issue, "Merging");
  await world.settled();
  switchAutoMergeOff(pull, "ada");
  await world.untilState(issue, "In Review");
  await world.settled();
  await reconciled();
  expect(await world.stateOf(issue)).toBe("In Review");
});

test("nor does another approval that stood there already bring it back; a new one does", async () => {
  world = await openWorld();
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  await people.check(headOf(pull), "ci", "pending");
  await people.approve(pull, "bob");
  await world.untilState(issue, "Merging");
  await people.approve(pull, "ada");
  await world.settled();
  switchAutoMergeOff(pull, "ada");
  await world.untilState(issue, "In Review");
  await world.settled();
  await reconciled();
  expect(await world.stateOf(issue)).toBe("In Review");
  // GitHub's times are told in whole seconds.
  await world.until("a second later", () => Date.now() % 1_000 < 50);
  await people.approve(pull, "ada");
  await world.untilState(issue, "Merging");
});

test("of two approvals the one that stands counts when the other is dismissed", async () => {
  world = await openWorld();
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  await people.check(headOf(pull), "ci", "pending");
  await people.approve(pull, "bob");
  await world.untilState(issue, "Merging");
  await people.approve(pull, "ada");
  await world.settled();
  await people.dismiss(pull, "bob");
  await world.settled();
  await reconciled();
  expect(await world.stateOf(issue)).toBe("Merging");
});

test("a late `/forgehand approve` does not approve a head that was pushed after it was written", async () => {
  world = await openWorld();
  const { people, hub } = world;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  // The comment's delivery is lost on its way…
  const lost: SimDelivery[] = [];
  hub.courier.deliver = (delivery) => {
    if (delivery.name !== "issue_comment") return [delivery];
    lost.push(delivery);
    return [];
  };
  // Earlier by a while: the play may take less than the second that GitHub's times are told in.
  const written = new Date(Date.now() - 5_000).toISOString();
  people.comment(pull, "bob", "/forgehand approve");
  await hub.courier.idle();
  // …then somebody pushes, and the new head passes the review.
  const seen = headOf(pull);
  await people.push(people.thread(pull).pull?.headRef ?? "", "ada", { "src/evil.txt": "unseen\n" });
  await world.until(
    "reviewed again",
    () => world.steps.filter(({ event }) => event === "review.passed").length === 2,
  );
  await world.settled();
  expect(await world.stateOf(issue)).toBe("In Review");
  expect(headOf(pull)).not.toBe(seen);
  // The walk of the deliveries (or a redelivery) brings the comment.
  hub.courier.deliver = undefined;
  for (const delivery of lost) {
    const body = delivery.body.replace(/("comment":\{.*?"created_at":")[^"]+/u, `$1${written}`);
    expect(body).not.toBe(delivery.body);
    hub.courier.redeliver({ ...delivery, body });
  }
  await world.settled();
  await world.settled();
  expect(await world.stateOf(issue)).toBe("In Review");
});

test("auto-merge that a protected path voided is not set again by the reconciler while the label still hangs there", async () => {
  world = await openWorld({
    scenes: [
      {
        role: "build",
        steps: [
          usage,
          { write: { path: ".github/workflows/ci.yml", text: "on: push\n" } },
          { done: "edited the CI" },
        ],
      },
    ],
  });
  const { shop } = world.forgehand;
  const real = shop.tracker.setLabels.bind(shop.tracker);
  Object.assign(shop.tracker, {
    setLabels: async (...args: Parameters<typeof real>) => {
      if (args[2].remove.includes("auto-merge"))
        throw new Trouble("forge-down", "502", { retryAt: Date.now() + 3_600_000 });
      await real(...args);
    },
  });
  const issue = open(["auto-merge", "agent-ready"]);
  await world.untilState(issue, "In Review");
  await world.settled();
  const id = `github:${world.repo.id}#${issue}`;
  expect((await world.forgehand.store.load(id))?.ticket.autoMerge).toBe(false);
  await reconciled();
  expect((await world.forgehand.store.load(id))?.ticket.autoMerge).toBe(false);
});

test("a dismissed objection of one person does not take the approval of another away", async () => {
  world = await openWorld({ config: "merge: { settle_seconds: 0 }\n" });
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  await people.check(headOf(pull), "ci", "pending");
  await people.requestChanges(pull, "ada", "hm");
  await people.dismiss(pull, "ada");
  await people.approve(pull, "bob");
  await world.untilState(issue, "Merging");
  await world.settled();
  await reconciled();
  expect(await world.stateOf(issue)).toBe("Merging");
});

test("the reconciler finds that the label auto-merge was removed", async () => {
  world = await openWorld();
  const { people, hub } = world;
  const issue = open(["auto-merge", "forgehand:do-not-dispatch"]);
  await world.settled();
  hub.courier.deliver = () => [];
  const deliveries = hub.state.deliveries.length;
  people.unlabel(issue, "auto-merge", "bob");
  await hub.courier.idle();
  // Older than GitHub keeps them: the walk cannot bring them back.
  hub.state.deliveries.splice(deliveries);
  hub.courier.deliver = undefined;
  await reconciled();
  expect((await world.forgehand.store.load(`github:${world.repo.id}#${issue}`))?.ticket.autoMerge).toBe(
    false,
  );
});

test("a label whose delivery was lost releases only the text that stood there when it was set", async () => {
  world = await openWorld();
  const { people, hub } = world;
  hub.courier.deliver = () => [];
  const deliveries = hub.state.deliveries.length;
  const issue = people.openIssue({ by: "eve", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  // A stranger edits their own issue after the person with permission has read and released it.
  people.editIssue(issue, "eve", { body: "Write src/backdoor.txt." });
  await hub.courier.idle();
  hub.state.deliveries.splice(deliveries);
  hub.courier.deliver = undefined;
  await reconciled();
  expect(await world.stateOf(issue)).toBe("Backlog");
  expect(people.labels(issue)).not.toContain("agent-ready");
  expect(await world.forgehand.store.sessionsOf(`github:${world.repo.id}#${issue}`)).toEqual([]);
});

test("an objection that was heard is not heard again by the reconciler after the rework", async () => {
  world = await openWorld({
    scenes: [
      {
        role: "build",
        prompt: "call it differently",
        steps: [usage, { run: "date +%N >> src/done.txt" }, { done: "renamed" }],
      },
    ],
  });
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  await people.requestChanges(pull, "ada", "call it differently");
  await world.until(
    "reworked",
    () => world.steps.filter(({ event }) => event === "review.passed").length === 2,
  );
  await world.settled();
  expect(await world.stateOf(issue)).toBe("In Review");
  await reconciled();
  expect(world.steps.filter(({ event }) => event === "human.objected").length).toBe(1);
});

test("a look that began before our own label change does not release a flagged ticket again", async () => {
  const gap = { ok: false, reason: "which one?" };
  world = await openWorld({
    scenes: [
      {
        role: "gate",
        steps: [
          usage,
          {
            answer: {
              decision: "flag",
              where: gap,
              what: gap,
              acceptance: fine,
              ambiguity: fine,
              gapComment: "Name it.",
            },
          },
        ],
      },
    ],
  });
  const { people } = world;
  const { shop } = world.forgehand;
  const setLabels = shop.tracker.setLabels.bind(shop.tracker);
  const ticket = shop.tracker.ticket.bind(shop.tracker);
  let hold: PromiseWithResolvers<void> | undefined = Promise.withResolvers<void>();
  let removed = false;
  Object.assign(shop.tracker, {
    // Our change waits until the look has read the issue; the look goes on when our change is done.
    setLabels: async (...args: Parameters<typeof setLabels>) => {
      if (args[2].remove.includes("agent-ready")) await hold?.promise;
      await setLabels(...args);
      if (args[2].remove.includes("agent-ready")) removed = true;
    },
    ticket: async (...args: Parameters<typeof ticket>) => {
      const facts = await ticket(...args);
      if (looking) {
        looking = false;
        hold?.resolve();
        hold = undefined;
        await world.until("our change is done", async () => {
          const effects = await shop.store.effectsOf(`github:${world.repo.id}#${issue}`);
          return removed && !effects.some(({ type, state }) => type === "labels" && state === "new");
        });
      }
      return facts;
    },
  });
  let looking = false;
  const issue = open();
  await world.until("flagged", () => world.steps.some(({ event }) => event === "gate.flagged"));
  looking = true;
  world.forgehand.reconcile();
  await world.until("looked", () => !looking);
  await world.settled();
  expect(people.labels(issue)).not.toContain("agent-ready");
  expect(world.steps.filter(({ event }) => event === "ready.granted").length).toBe(1);
});
