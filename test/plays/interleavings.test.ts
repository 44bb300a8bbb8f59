/**
 * Every order in which a push, an approval, a verdict and what sets a merge off can happen, on a forge with real HTTP and
 * git: whatever is merged was reviewed as it is. All orders play side by side, one event of each at a time.
 */
import { writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openClone } from "../../src/adapters/git/clone-reader.ts";
import { newestSeal } from "../../src/certificate/compose.ts";
import { verifyCertificate } from "../../src/certificate/verify.ts";
import type { Agent, AgentSays, WorkOrder } from "../../src/ports-agents.ts";
import type { SimDelivery } from "../../src/simulator/hub/state.ts";
import { certified, cloneOf, fed, git, headOf, ledgerLines } from "../certificate/merged.ts";
import { openWorld, pass, proceed, type World } from "../world.ts";

/** Far more than it takes, for a machine that does much else besides. */
const limitMs = 600_000;
let world: World;
afterEach(() => world.close());

/** `push`: ada pushes. `approve`: bob approves the head he read before. `verdict`: the reviewer of that head passes it. `merge`: CI turns green. */
const events = ["push", "approve", "verdict", "merge"] as const;
type Event = (typeof events)[number];
/** `told`: news arrives at once. `unheard`: that of the push arrives last. `label`: `auto-merge` consents instead of bob. */
type Way = "told" | "unheard" | "label";
interface Play {
  readonly order: readonly Event[];
  readonly way: Way;
  readonly issue: number;
  readonly pull: number;
  /** The head that bob reads and the reviewer has. */
  readonly first: string;
}

const permutations = <One>(all: readonly One[]): readonly (readonly One[])[] =>
  all.length === 0
    ? [[]]
    : all.flatMap((one, index) => permutations(all.toSpliced(index, 1)).map((rest) => [one, ...rest]));

/** Who reviews in this process: reads its checkout, and answers when it is let. */
interface Reviewers {
  readonly passed: Set<string>;
  readonly waiting: Map<string, () => void>;
  everybodyMay: boolean;
}

function actor(agent: Agent, reviewers: Reviewers): Agent {
  const model = agent.name === "codex" ? "gpt-5.5" : "claude-opus-5-5";
  return {
    ...agent,
    work: async function* (order: WorkOrder, signal): AsyncGenerator<AgentSays> {
      yield { type: "model", id: model };
      yield { type: "result", outcome: { is: "done", ...(await answer(order, reviewers, signal)) } };
    },
  };
}

async function answer(order: WorkOrder, reviewers: Reviewers, signal: AbortSignal) {
  if (order.role === "gate") return { text: "", structured: proceed };
  if (order.role === "build") {
    await mkdir(join(order.cwd, "src"), { recursive: true });
    // Each ticket writes a file of its own, so that no merge is in another's way.
    const name = order.runId.replaceAll(/\W/gu, "-");
    writeFileSync(join(order.cwd, "src", `${name}.txt`), "done\n");
    return { text: "wrote it", structured: undefined };
  }
  const head = await git(order.cwd, "rev-parse", "HEAD");
  if (!reviewers.everybodyMay)
    await new Promise<void>((resolve, reject) => {
      reviewers.waiting.set(head, resolve);
      signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
    });
  reviewers.waiting.delete(head);
  reviewers.passed.add(head);
  return { text: "", structured: pass };
}

/** Everything heard, read and sent; who is at work waits for us. */
async function quiet(reviewers: Reviewers): Promise<void> {
  const { store, engine, shop } = world.forgehand;
  let calm = 0;
  await world.until("everything is quiet", async () => {
    await world.hub.courier.idle();
    const isQuiet =
      (await store.unread(0, 1)).length === 0 &&
      (await store.sendable(shop.clock.now(), 1)).length === 0 &&
      engine.atWork().length <= reviewers.waiting.size &&
      !(await isMergeRepeated());
    calm = isQuiet ? calm + 1 : 0;
    return calm >= 3;
  });
}

/** Two merges at once are in each other's way: the forge tells one to come again, and that is on its way yet. */
async function isMergeRepeated(): Promise<boolean> {
  const { store } = world.forgehand;
  for (const { ticket } of await store.ticketsIn(["Merging"])) {
    const effects = await store.effectsOf(ticket.id);
    if (
      effects.some(
        ({ type, state, note }) => type === "merge.try" && state === "new" && /modified/i.test(note ?? ""),
      )
    )
      return true;
  }
  return false;
}

const batch = 8;

/** Brings a ticket for each to where its first head is being read. */
async function setStage(wanted: readonly Pick<Play, "way" | "order">[]): Promise<readonly Play[]> {
  const { people } = world;
  const issues = wanted.map(({ way, order }) => {
    const issue = people.openIssue({ by: "bob", title: "Say done", body: `${way}: ${order.join(", ")}` });
    if (way === "label") people.label(issue, "auto-merge", "bob");
    people.label(issue, "agent-ready", "bob");
    return { issue, way, order };
  });
  return await Promise.all(
    issues.map(async (one) => {
      await world.until("it is reviewed", async () => {
        const ticket = (await world.forgehand.store.load(`github:${world.repo.id}#${one.issue}`))?.ticket;
        return ticket?.state === "Adversarial Review" && ticket.pull !== undefined;
      });
      const pull = await world.pullOf(one.issue);
      await people.check(headOf(world, pull), "ci", "pending");
      return { ...one, pull, first: headOf(world, pull) };
    }),
  );
}

const isMerged = ({ pull }: Play): boolean => world.people.thread(pull).pull?.merged !== undefined;

async function happen(event: Event, play: Play, reviewers: Reviewers): Promise<void> {
  const { people } = world;
  const { pull, first } = play;
  const thread = people.thread(pull);
  switch (event) {
    case "push":
      // What was merged is out of reach: its branch is gone.
      if (!isMerged(play)) {
        const next = await people.push(thread.pull?.headRef ?? "", "ada", {
          [`unseen-${pull}.txt`]: "unseen\n",
        });
        await people.check(next, "ci", "pending");
      }
      break;
    case "approve":
      if (play.way !== "label") await people.approve(pull, "bob", { head: first });
      break;
    case "verdict":
      reviewers.waiting.get(first)?.();
      break;
    case "merge":
      for (const head of new Set([first, headOf(world, pull)])) await people.check(head, "ci", "success");
      break;
  }
}

/** What the way withholds; it arrives last. */
function withheld(plays: readonly Play[], kept: SimDelivery[]): void {
  const waysOf = new Map(plays.map(({ pull, way }) => [pull, way]));
  const branches = new Map(
    plays.map(({ pull, way }) => [`refs/heads/${world.people.thread(pull).pull?.headRef}`, way]),
  );
  world.hub.courier.deliver = (delivery) => {
    const body = JSON.parse(delivery.body) as { pull_request?: { number: number }; ref?: string };
    const way = waysOf.get(body.pull_request?.number ?? 0) ?? branches.get(body.ref ?? "");
    const isKept = way === "unheard" && (delivery.action === "synchronize" || delivery.name === "push");
    if (isKept) kept.push(delivery);
    return isKept ? [] : [delivery];
  };
}

/** Plays every order on a world whose branch has these rules, and answers what became of each. */
async function playAll(
  checks: readonly string[],
  parts: readonly (readonly [way: Way, orders: readonly (readonly Event[])[]])[],
): Promise<readonly Play[]> {
  const reviewers: Reviewers = { passed: new Set(), waiting: new Map(), everybodyMay: false };
  world = await openWorld({
    recast: (agent) => actor(agent, reviewers),
    config:
      "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0, concurrency: 100, day_usd: 100000 }\n",
    environment: { concurrency: 200, dayStopUsd: 100_000, dayWarnUsd: 100_000 },
  });
  world.people.protect("main", { checks, approvals: 0 });
  const wanted = parts.flatMap(([way, orders]) => orders.map((order) => ({ way, order })));
  const plays: Play[] = [];
  // A few at a time: their git shares one mirror.
  for (let at = 0; at < wanted.length; at += batch)
    plays.push(...(await setStage(wanted.slice(at, at + batch))));
  await world.until("all reviewers read", () => reviewers.waiting.size === plays.length);
  const kept: SimDelivery[] = [];
  withheld(plays, kept);
  for (let step = 0; step < events.length; step += 1) {
    await quiet(reviewers);
    expectReviewed(plays, reviewers);
    await Promise.all(
      plays.map(async (play) => {
        const event = play.order[step];
        if (event !== undefined) await happen(event, play, reviewers);
      }),
    );
  }
  await quiet(reviewers);
  world.hub.courier.deliver = undefined;
  for (const delivery of kept) world.hub.courier.redeliver(delivery);
  await quiet(reviewers);
  expectReviewed(plays, reviewers);
  // Whoever still reads a head may pass it, whichever it is; then the reconciler looks once more.
  reviewers.everybodyMay = true;
  for (const answerNow of reviewers.waiting.values()) answerNow();
  await world.settled();
  for (const { pull } of plays) await world.people.check(headOf(world, pull), "ci", "success");
  await world.settled();
  world.forgehand.reconcile();
  await world.settled();
  expectReviewed(plays, reviewers);
  return plays;
}

/** Whatever the forge has merged by now, a reviewer has read and passed by now. */
function expectReviewed(plays: readonly Play[], { passed }: Reviewers): void {
  for (const play of plays.filter(isMerged)) {
    const merged = headOf(world, play.pull);
    if (!passed.has(merged)) expect({ play, merged }).toBe("reviewed");
  }
}

/** Somebody who has only a clone and the ledger finds every certificate true, and nothing of review and consent missing. */
async function allCertified(plays: readonly Play[]): Promise<void> {
  // An effect that was put off is nothing a calm world waits for.
  await world.until("every merge is certified", async () => {
    const lines = await Promise.all(
      plays
        .filter(isMerged)
        .map(({ issue }) => world.forgehand.store.linesOf(`github:${world.repo.id}#${issue}`)),
    );
    return lines.every((all) => newestSeal(all) !== undefined);
  });
  const clone = await openClone(await cloneOf(world, "clone"), process.env["PATH"] ?? "");
  if (clone === undefined) throw new Error("no clone");
  const ledger = await ledgerLines(world);
  for (const { issue, order, way } of plays.filter(isMerged)) {
    const one = await certified(world, issue);
    const { faults } = await verifyCertificate(one, { clone, ledger: fed(ledger), anchors: [] });
    const { gaps } = one.certificate;
    if (faults.length > 0 || gaps.some((gap) => !/^(?:checks-|merged-by)/u.test(gap)))
      expect({ order, way, faults, gaps }).toBeUndefined();
  }
  await clone.close();
}

/** Without the label nothing is merged but the head that bob read, and that only while nobody has pushed another. */
function expectOutcomes(plays: readonly Play[]): void {
  for (const play of plays) {
    const { order, way, first, pull } = play;
    const merged = isMerged(play) ? headOf(world, pull) : undefined;
    // With the push last, all that the first head needs was there before it.
    const wanted = way === "label" ? (merged ?? "some head") : order.at(-1) === "push" ? first : undefined;
    if (merged !== wanted) expect({ order, way, merged, wanted }).toBeUndefined();
  }
}

const wasArmed = (): boolean =>
  world.hub.state.calls.some(({ body }) => JSON.stringify(body ?? "").includes("enablePullRequestAutoMerge"));

test("whatever is merged was reviewed, in every order of the four", { timeout: limitMs }, async () => {
  const orders = permutations(events);
  expect(orders).toHaveLength(24);
  const plays = await playAll(
    ["ci"],
    [
      ["told", orders],
      // The forge itself must refuse what we have not heard of.
      ["unheard", orders.filter(([, , third, last]) => third === "push" && last === "merge")],
    ],
  );
  // A merge that GitHub does by itself would take whatever head is there.
  expect(wasArmed()).toBe(false);
  expectOutcomes(plays);
  await allCertified(plays);
});

test("so it is where GitHub is asked to merge by itself", { timeout: limitMs }, async () => {
  // What is released before CI is green is waited for: the push comes while GitHub was asked already.
  const orders = permutations(events).filter(
    ([first, second, third]) => first !== "merge" && second !== "merge" && third === "push",
  );
  expect(orders).toHaveLength(2);
  const plays = await playAll(
    ["ci", "forgehand / gate"],
    [
      ["told", orders],
      ["unheard", orders],
      [
        "label",
        [
          ["verdict", "push", "merge"],
          ["push", "verdict", "merge"],
        ],
      ],
    ],
  );
  expect(wasArmed()).toBe(true);
  expectOutcomes(plays);
  await allCertified(plays);
});
