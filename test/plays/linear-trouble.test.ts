import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { explain } from "../../src/cli/explain.ts";
import { openLinear } from "../../src/linear.ts";
import { linearScopes } from "../../src/ports-linear.ts";
import type { SimDelivery } from "../../src/simulator/linear/courier.ts";
import { personOn } from "../../src/simulator/linear/people.ts";
import type { SimIssue } from "../../src/simulator/linear/world.ts";
import { openLinearWorld, type LinearWorld, type LinearWorldOptions } from "../linear-world.ts";
import { usage } from "../world.ts";

let world: LinearWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});
const open = async (options?: LinearWorldOptions): Promise<LinearWorld> =>
  (world = await openLinearWorld(options));

const words = { description: "Write src/done.txt." };
const card = (play: LinearWorld): SimIssue => play.bob.open(play.eng, "Say done", words);
const boss = (play: LinearWorld) => {
  const user = play.linear.world.tables.User.find(({ name }) => name === "Boss");
  if (user === undefined) throw new Error("nobody is admin");
  return personOn(play.linear, user);
};

/** An administrator installs the app, and what that gives is kept. */
async function consent(play: LinearWorld): Promise<void> {
  const { accessToken, refreshToken } = boss(play).grant(play.app, { scopes: [...linearScopes] });
  const { desk } = openLinear({
    environment: play.environment,
    store: play.forgehand.store,
    page: () => undefined,
  });
  const pair = {
    access: accessToken,
    refresh: refreshToken,
    scopes: [...linearScopes],
    lifetimeMs: 86_400_000,
  };
  const signedIn = await desk.signIn("code", async () => ({ is: "granted", pair }));
  expect(signedIn.is).toBe("signed-in");
}

/** Released, built, approved, merged; and of everything there is one. */
async function toTheEnd(play: LinearWorld, issue: SimIssue): Promise<void> {
  await play.untilCard(issue, "In Review");
  await allSent(play, issue);
  await play.people.approve(await play.pullOfCard(issue), "bob");
  await play.untilCard(issue, "Done");
  await allSent(play, issue);
  await expectOneOfEach(play, issue);
}
/** What meets trouble waits in the outbox: settled it is only when nothing waits there any more. */
async function allSent(play: LinearWorld, issue: SimIssue): Promise<void> {
  await play.until("everything is sent", async () => {
    await play.settled();
    const effects = await play.forgehand.store.effectsOf(play.idOf(issue));
    return effects.every(({ state, type }) => state !== "new" || type === "base.watch");
  });
}
async function expectOneOfEach(play: LinearWorld, issue: SimIssue): Promise<void> {
  expect(play.column(issue)).toBe("Done");
  const comments = play.comments(issue);
  expect(comments.filter((body) => body.includes("forgehand workpad"))).toHaveLength(1);
  expect(comments.filter((body) => body.includes("Merged at"))).toHaveLength(1);
  expect(comments).toHaveLength(2);
  const pulls = [...play.repo.threads.values()].filter(
    ({ pull, title }) => pull && title.endsWith("(ENG-1)"),
  );
  expect(pulls).toHaveLength(1);
  const failed = (await play.forgehand.store.effectsOf(play.idOf(issue))).filter(
    ({ state }) => state === "failed",
  );
  expect(failed).toEqual([]);
}

/** An agent at work until the play lets it go on; the file tells that it began. */
function held(play: LinearWorld, then: readonly object[]) {
  const [began, go] = [join(play.dir, "began"), join(play.dir, "go")];
  play.scenes([
    {
      role: "build",
      steps: [usage, { run: `touch ${began}; while [ ! -e ${go} ]; do sleep 0.05; done` }, ...then],
    },
  ]);
  return {
    begun: () => play.until("the builder is at work", () => existsSync(began)),
    goOn: () => writeFileSync(go, ""),
  };
}
const wrote = [{ write: { path: "src/done.txt", text: "done\n" } }, { done: "wrote it" }];

describe("webhooks", () => {
  test("with a wrong secret or an old stamp are turned away, and what they told of is found by the scan", async () => {
    const play = await open();
    let nth = 0;
    play.linear.courier.deliver = (delivery) => {
      nth += 1;
      const forged: SimDelivery = { ...delivery, to: { ...delivery.to, secret: "lin_wh_wrong" } };
      const stale: SimDelivery = { ...delivery, stampedAt: Date.now() - 61_000 };
      return [nth % 2 === 0 ? forged : stale];
    };
    const issue = card(play);
    play.bob.drag(issue, "Ready for Dev");
    await play.linear.courier.idle();
    const inbox = await play.forgehand.store.unread(0, 100);
    expect(inbox.filter(({ source }) => source === "linear")).toEqual([]);
    expect(await play.stateOfCard(issue)).toBeUndefined();
    expect(play.linear.courier.deliveries.filter(({ outcome }) => outcome === "delivered")).toEqual([]);
    play.linear.courier.deliver = undefined;
    play.forgehand.reconcile();
    await toTheEnd(play, issue);
  });

  test("that come twice, in another order, or again much later change nothing", async () => {
    const play = await open();
    let kept: SimDelivery | undefined;
    // Every second one waits for the one after it; and all come twice.
    play.linear.courier.deliver = (delivery) => {
      if (kept === undefined) {
        kept = delivery;
        return [];
      }
      const before = kept;
      kept = undefined;
      return [delivery, delivery, before, before];
    };
    const issue = card(play);
    play.bob.drag(issue, "Ready for Dev");
    await play.untilCard(issue, "In Review");
    await play.settled();
    play.linear.courier.deliver = undefined;
    await toTheEnd(play, issue);
    for (const delivery of play.linear.courier.deliveries) play.linear.courier.redeliver(delivery);
    await play.settled();
    await expectOneOfEach(play, issue);
    expect(play.steps.filter(({ event }) => event === "ready.granted")).toHaveLength(1);
  });

  test("that never arrive are made up for by the scan, from release to done", async () => {
    const play = await open();
    play.linear.courier.deliver = () => [];
    const issue = card(play);
    play.bob.drag(issue, "Ready for Dev");
    await play.linear.courier.idle();
    play.forgehand.reconcile();
    await toTheEnd(play, issue);
    const mark = await play.forgehand.store.setting(`scanned-linear:${play.acme.id}`);
    expect(Number(mark?.value)).toBeGreaterThan(0);
    // What was withdrawn unheard is found too.
    const other = play.bob.open(play.eng, "Another", words);
    play.bob.drag(other, "Ready for Dev");
    play.bob.drag(other, "Backlog");
    await play.linear.courier.idle();
    play.forgehand.reconcile();
    await play.settled();
    expect((await play.stateOfCard(other)) ?? "Backlog").toBe("Backlog");
  });
});

describe("an issue that goes while its agent works", () => {
  test.each<[string, (play: LinearWorld, issue: SimIssue) => void | Promise<void>]>([
    ["deleted", (play, issue) => play.bob.delete(issue)],
    ["deleted for good", (play, issue) => play.bob.delete(issue, "for good")],
    ["archived", (play, issue) => play.bob.archive(issue)],
    [
      "moved to a team the app may not see",
      async (play, issue) => {
        const secret = play.linear.team(play.acme, { key: "SEC", name: "Secret", private: true });
        play.bob.edit(issue, { team: secret });
        // Nothing tells of it; once an hour every ticket is looked at, changed or not.
        await play.forgehand.store.set("looked-at-linear", "0", "test", 0);
        play.forgehand.reconcile();
      },
    ],
    ["in a team that shut the app out", (play) => boss(play).changeAccess(play.app, { remove: [play.eng] })],
  ])("%s: its ticket is cancelled, its agent stopped, nothing is written there", async (_, go) => {
    const play = await open();
    const build = held(play, wrote);
    const issue = card(play);
    play.bob.drag(issue, "Ready for Dev");
    await build.begun();
    await go(play, issue);
    await play.untilCard(issue, "Cancelled");
    await play.settled();
    expect(play.forgehand.engine.atWork()).toEqual([]);
    expect([...play.repo.threads.values()].filter((thread) => thread.pull !== undefined)).toEqual([]);
    const effects = await play.forgehand.store.effectsOf(play.idOf(issue));
    expect(effects.filter(({ state }) => state === "failed" || state === "new")).toEqual([]);
  });
});

describe("a budget that is spent", () => {
  /** Ten requests a second come back. */
  const limits = { app: { requests: 36_000, complexity: 100_000_000 } };
  const leave = (play: LinearWorld, requests: number): void => {
    for (const [value, token] of play.linear.tokens)
      if (token.install !== undefined) play.linear.leaveBudget(value, { requests });
  };

  test("stops nothing for good: what was refused is asked again, and done once", async () => {
    const play = await open({ linear: { limits } });
    const issue = card(play);
    leave(play, 0);
    play.bob.drag(issue, "Ready for Dev");
    await play.untilCard(issue, "Gate");
    leave(play, 0);
    await play.untilCard(issue, "In Review");
    leave(play, 0);
    await toTheEnd(play, issue);
    expect(play.linear.calls.some(({ status }) => status === 400)).toBe(true);
  });

  test("is left to what people wait for: a scan leaves a fifth of it, and comes back", async () => {
    const play = await open({ linear: { limits } });
    const issue = card(play);
    await play.settled();
    leave(play, limits.app.requests * 0.2 - 15);
    // This is answered, and tells how little there is.
    play.bob.label(issue, "agent-ready");
    await play.untilCard(issue, "In Review");
    await play.settled();
    leave(play, limits.app.requests * 0.2 - 15);
    play.bob.comment(issue, "/forgehand status");
    await play.settled();
    play.linear.courier.deliver = () => [];
    const missed = play.bob.open(play.eng, "Missed", words);
    play.bob.drag(missed, "Ready for Dev");
    const scans = (): number => play.linear.calls.filter(({ roots }) => roots.includes("issues")).length;
    const before = scans();
    play.forgehand.reconcile();
    await play.settled();
    expect(scans()).toBe(before);
    await play.until("the scan has its share again", async () => {
      play.forgehand.reconcile();
      await play.settled();
      return scans() > before;
    });
    await play.untilCard(missed, "In Review");
  });
});

test("answers in part, refusals and lost answers leave one of everything", async () => {
  const play = await open();
  play.linear.fail({ is: "partial", of: /^issue$/, path: "issue.id" });
  play.linear.fail({ is: "partial", of: /^issueUpdate$/, path: "issueUpdate.success" });
  play.linear.fail({ is: "reset", of: /^commentCreate$/, after: true });
  play.linear.fail({ is: 503, of: /^commentUpdate$/ });
  const issue = card(play);
  play.bob.drag(issue, "Ready for Dev");
  await toTheEnd(play, issue);
  expect(play.linear.faults.filter(({ times }) => times > 0)).toEqual([]);
});

describe("a token that is revoked while an agent works", () => {
  test("lets it finish, holds everything else, says so, and goes on by itself after a sign-in", async () => {
    const play = await open({ environment: { concurrency: 1 } });
    // By consent: with the app's secret alone it would sign itself in again.
    await consent(play);
    const build = held(play, wrote);
    const issue = card(play);
    play.bob.drag(issue, "Ready for Dev");
    await build.begun();
    const other = play.bob.open(play.eng, "Another", words);
    play.bob.drag(other, "Ready for Dev");
    await play.untilCard(other, "Ready");
    boss(play).revoke(play.app);
    await play.until(
      "the workspace is signed out",
      async () => (await play.forgehand.store.linearWorkspaces())[0]?.signedOut !== undefined,
    );
    expect(play.forgehand.engine.atWork()).toHaveLength(1);
    build.goOn();
    await play.untilCard(issue, "In Review");
    const { database } = play.environment;
    const explained = async (name: string): Promise<string> => (await explain(name, { database })).text;
    await play.until("what waits is explained", async () =>
      (await explained("ENG-1")).includes("signed out of Linear's workspace Acme"),
    );
    // A free slot, and nobody who may take it.
    expect(await play.stateOfCard(other)).toBe("Ready");
    expect(await explained("ENG-2")).toContain("sign in to its tracker again");
    const effects = await play.forgehand.store.effectsOf(play.idOf(issue));
    expect(effects.filter(({ state }) => state === "failed")).toEqual([]);
    expect(effects.filter(({ state }) => state === "new").length).toBeGreaterThan(0);
    // Installed again, from another process, as an operator does.
    await consent(play);
    await toTheEnd(play, issue);
    await play.untilCard(other, "In Review");
  });
});
