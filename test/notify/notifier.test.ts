/** What people are told of, where and when: the notifier on a real store and the real table, with a clock that is turned. */
import { afterEach, describe, expect, test } from "vitest";
import { Trouble } from "../../src/ports.ts";
import { unknownOutcome } from "../../src/ports-notify.ts";
import { mostTries } from "../../src/shell/notify-lane.ts";
import { againMs } from "../../src/shell/notify.ts";
import { dayStart } from "../../src/shell/day.ts";
import { head, openNotifyStand, toReview, type NotifyStand } from "./stand.ts";

let stand: NotifyStand;
afterEach(() => stand.close());

const topic = "ntfy://topic?events=waiting,blocked,merged,cap,runtime";
const minute = 60_000;
const hour = 60 * minute;
const saidBy = (prefix = ""): readonly string[] =>
  stand.sent
    .filter(({ channel }) => channel.startsWith(prefix))
    .map(({ message }) =>
      [message.heading, ...message.items.map(({ says }) => says)].filter(Boolean).join(" | "),
    );
const blocked = { type: "effect.failed", effect: "labels", why: "the forge says no" } as const;
const objected = { type: "human.objected", by: "ada", order: "no" } as const;
const again = [{ type: "slot.granted" }, ...toReview.slice(3, 4), ...toReview.slice(5)] as const;

describe("what is told", () => {
  test("a ticket before a person is told once, with why, what to do and the way there", async () => {
    stand = await openNotifyStand([topic]);
    await stand.take(42, ...toReview);
    for (let n = 0; n < 5; n += 1) await stand.pass(2_000);
    expect(stand.sent).toHaveLength(1);
    expect(stand.sent[0]?.message).toMatchObject({
      more: 0,
      items: [
        {
          kind: "waiting",
          says: "acme/web#42 waits for your review",
          quoted: "Say done",
          why: "it touches the login",
          next: "approve the pull request, or /forgehand approve",
          url: "https://forge.example/acme/web/pull/40",
          ticket: "github:77#42",
        },
      ],
    });
  });

  test("the way there is the dashboard's page where people reach it", async () => {
    stand = await openNotifyStand([topic], { publicUrl: "https://hand.example" });
    await stand.take(42, ...toReview);
    await stand.pass(2_000);
    expect(stand.sent[0]?.message.items[0]?.url).toBe("https://hand.example/tickets/github%3A77%2342");
  });

  test.each([
    [
      "a spec with gaps",
      [
        ...toReview.slice(0, 2),
        { type: "gate.flagged", gaps: [{ about: "Where", missing: "which page?" }], comment: "" },
      ],
      {
        kind: "waiting",
        says: "acme/web#42 does not say enough to start",
        why: "Where: which page?",
        url: "https://forge.example/acme/web/issues/42",
      },
    ],
    [
      "two runtimes at once",
      [{ type: "runtime.chosen", runtime: "contested" }, toReview[0]],
      {
        kind: "waiting",
        says: "acme/web#42 names two runtimes or workflows",
        next: expect.stringMatching(/^remove all runtime/u),
      },
    ],
    [
      "a budget that is spent",
      [...toReview.slice(0, 3), { type: "budget.spent", why: "the run has spent its $5", wantsUsd: 3 }],
      { kind: "waiting", says: "acme/web#42 has spent its budget", next: "/forgehand budget 3" },
    ],
    [
      "a breaker that opened",
      [...toReview.slice(0, 3), { type: "run.exhausted", why: "three tries failed" }],
      {
        kind: "blocked",
        says: "acme/web#42 is blocked",
        why: expect.stringContaining("three tries failed"),
        next: "/forgehand retry",
      },
    ],
    [
      "a merge without an approval",
      [...toReview, { type: "automerge.set", on: true }, { type: "pr.merged", head, merge: "c".repeat(40) }],
      { kind: "merged", says: "acme/web#42 was merged by auto-merge" },
    ],
  ] as const)("%s is told", async (_, events, expected) => {
    stand = await openNotifyStand([topic]);
    await stand.take(42, ...(events as readonly object[]));
    await stand.pass(5_000);
    expect(stand.sent.at(-1)?.message.items).toMatchObject([expected]);
    expect(stand.sent).toHaveLength(1);
  });

  test.each([
    ["a halt", [...toReview.slice(0, 3), { type: "halt.raised" }]],
    ["a stop", [...toReview.slice(0, 3), { type: "operator.stopped" }]],
    ["a pull request that was closed", [...toReview.slice(0, 5), { type: "pr.closed" }]],
    ["work that goes on", toReview.slice(0, 5)],
    [
      "a merge that a person approved",
      [
        ...toReview,
        { type: "human.approved", head, by: "ada" },
        { type: "pr.merged", head, merge: "c".repeat(40) },
      ],
    ],
    ["what was answered before anybody was told", [...toReview, objected]],
  ] as const)("%s is told to nobody", async (_, events) => {
    stand = await openNotifyStand([topic]);
    await stand.take(42, ...(events as readonly object[]));
    await stand.pass(5_000);
    expect(stand.sent).toEqual([]);
  });

  test("what happened before anybody listened is no news", async () => {
    stand = await openNotifyStand(["ntfy://other?events=merged"]);
    await stand.take(42, ...toReview);
    await stand.calm();
    stand.crash();
    stand.start(["ntfy://newcomer?events=waiting"]);
    await stand.pass(5_000);
    expect(stand.sent).toEqual([]);
  });

  test("what a workflow of the ticket's own asks is told once, anew when it is asked anew, and not once it was answered", async () => {
    stand = await openNotifyStand([`${topic}&quiet=14:00-15:00`]);
    await stand.take(42, ...toReview.slice(0, 3));
    const asked = {
      run: "github:77#42/2",
      leaf: "go",
      ask: { is: "approve", text: "Begin <b>now</b>?" },
      since: 0,
    } as const;
    stand.asks.push({ ...asked, seq: 5 });
    await stand.pass(minute);
    await stand.pass(minute);
    expect(stand.sent.map(({ message }) => message.items)).toMatchObject([
      [
        {
          kind: "waiting",
          says: "acme/web#42 asks you something",
          why: "Begin <b>now</b>?",
          next: expect.stringMatching(/^forgehand approve github:77#42\/2 go,/u),
          url: "https://forge.example/acme/web/issues/42",
        },
      ],
    ]);
    stand.asks.splice(0, 1, { ...asked, seq: 6 });
    await stand.pass(minute);
    expect(stand.sent).toHaveLength(2);
    await stand.pass(Date.parse("2026-01-05T14:01:00Z") - stand.clock.now());
    stand.asks.splice(0, 1, { ...asked, seq: 7 });
    await stand.pass(minute);
    stand.asks.splice(0, 1);
    await stand.pass(hour);
    expect(stand.sent).toHaveLength(2);
  });

  test("money: much is spent, then nothing starts; each once a day", async () => {
    stand = await openNotifyStand([topic]);
    const spend = async (key: string, usd: number): Promise<void> => {
      await stand.store.openSession({
        key,
        run: "r/1",
        ticket: "github:77#1",
        role: "build",
        runtime: "codex",
        at: stand.clock.now(),
      } as never);
      await stand.store.changeSession(key, { usd });
    };
    await stand.take(1);
    await spend("one", 49);
    await stand.pass(minute);
    expect(saidBy()).toEqual([]);
    await spend("two", 2);
    await stand.pass(minute);
    await stand.pass(minute);
    expect(saidBy()).toEqual(["$51.00 is spent today"]);
    await spend("three", 50);
    await stand.pass(minute);
    await stand.pass(minute);
    expect(saidBy()).toEqual([
      "$51.00 is spent today",
      "Nothing new starts today: $101.00 of $100.00 is spent",
    ]);
    await stand.pass(dayStart(stand.clock.now()) + 24 * hour - stand.clock.now());
    await stand.pass(minute);
    expect(stand.sent).toHaveLength(2);
  });

  test("a runtime that is down is told once for each time it goes down", async () => {
    stand = await openNotifyStand([topic]);
    const fail = (): Promise<void> => {
      const at = stand.clock.now();
      return stand.store.runtimeFailed(
        { runtime: "codex", code: "quota", why: "out of credits", at },
        () => at + hour,
      );
    };
    await fail();
    await stand.pass(minute);
    await fail();
    await stand.pass(minute);
    expect(saidBy()).toEqual(["The runtime codex cannot work"]);
    await stand.store.runtimeWorked("codex");
    await stand.pass(minute);
    await fail();
    await stand.pass(minute);
    expect(saidBy()).toHaveLength(2);
  });
});

describe("once", () => {
  test("a ticket that flaps says so once, and once more when it has settled there", async () => {
    stand = await openNotifyStand([topic]);
    await stand.take(42, ...toReview);
    await stand.pass(5_000);
    for (let n = 0; n < 4; n += 1) {
      await stand.take(42, objected);
      await stand.pass(3_000);
      await stand.take(42, ...again);
      await stand.pass(3_000);
    }
    expect(saidBy()).toEqual(["acme/web#42 waits for your review"]);
    await stand.pass(againMs);
    expect(saidBy().slice(1)).toEqual([
      "acme/web#42 waits for your review again (4 times since I last said so)",
    ]);
    await stand.pass(againMs);
    expect(stand.sent).toHaveLength(2);
  });

  test("one that flapped and went on is not told again", async () => {
    stand = await openNotifyStand([topic]);
    await stand.take(42, ...toReview);
    await stand.pass(5_000);
    await stand.take(42, objected, ...again);
    await stand.pass(5_000);
    await stand.take(42, objected);
    await stand.pass(2 * againMs);
    expect(stand.sent).toHaveLength(1);
  });

  test("a burst is one message that lists ten and counts the others", async () => {
    stand = await openNotifyStand([topic]);
    for (let issue = 1; issue <= 14; issue += 1) await stand.take(issue, ...toReview.slice(0, 3), blocked);
    await stand.pass(3_000);
    expect(stand.sent).toHaveLength(1);
    expect(stand.sent[0]?.message).toMatchObject({ heading: "14 things from forgehand", more: 4 });
    expect(stand.sent[0]?.message.items).toHaveLength(10);
  });

  test("each channel hears what it asked for", async () => {
    stand = await openNotifyStand([
      "ntfy://a?events=blocked",
      "gotify://g.example/AAAAAAAAAA?repo=acme/api",
      "json://h.example?min=urgent",
      "slack://T00/B00/XXX?repo=acme/w*",
    ]);
    await stand.take(42, ...toReview.slice(0, 3), blocked);
    await stand.take(43, ...toReview);
    await stand.pass(5_000);
    await stand.pass(5_000);
    expect(
      [saidBy("ntfy"), saidBy("gotify"), saidBy("webhook"), saidBy("slack")].map((said) => said.join()),
    ).toEqual([
      "acme/web#42 is blocked",
      "",
      "acme/web#42 is blocked",
      expect.stringMatching(/acme\/web#42 is blocked.*acme\/web#43 waits/u),
    ]);
  });
});

describe("trouble", () => {
  test("a dead channel does not delay another, and is tried again until it hears", async () => {
    stand = await openNotifyStand([topic, "json://h.example"]);
    stand.answers("ntfy", (n) => (n < 4 ? new Trouble("notify-unavailable", "down") : "sent"));
    await stand.take(42, ...toReview);
    await stand.pass(2_000);
    expect([saidBy("webhook").length, saidBy("ntfy").length]).toEqual([1, 1]);
    await stand.pass(10_000);
    await stand.pass(20_000);
    await stand.pass(40_000);
    await stand.pass(80_000);
    expect([saidBy("webhook").length, saidBy("ntfy").length]).toEqual([1, 4]);
    expect(stand.errors).toEqual([]);
  });

  test("what comes while a channel is left alone waits with the rest and is told together", async () => {
    stand = await openNotifyStand([topic]);
    stand.answers("ntfy", (n) =>
      n === 1 ? new Trouble("notify-limited", "slow", { retryAt: stand.clock.now() + 10 * minute }) : "sent",
    );
    await stand.take(42, ...toReview);
    await stand.pass(2_000);
    await stand.take(43, ...toReview);
    await stand.pass(9 * minute);
    expect(stand.sent).toHaveLength(1);
    await stand.pass(minute);
    expect(saidBy().at(-1)).toBe(
      "2 things from forgehand | acme/web#42 waits for your review | acme/web#43 waits for your review",
    );
  });

  test("a time that was named is kept across a restart", async () => {
    stand = await openNotifyStand([topic]);
    stand.answers("ntfy", (n) =>
      n === 1 ? new Trouble("notify-limited", "slow", { retryAt: stand.clock.now() + hour }) : "sent",
    );
    await stand.take(42, ...toReview);
    await stand.pass(2_000);
    stand.crash();
    stand.start();
    await stand.pass(50 * minute);
    expect(stand.sent).toHaveLength(1);
    await stand.pass(10 * minute);
    expect(stand.sent).toHaveLength(2);
  });

  test("a refusal for good is given up aloud, at once, and the next is tried", async () => {
    stand = await openNotifyStand([topic]);
    stand.answers("ntfy", (n) =>
      n === 1 ? new Trouble("notify-refused", "no such topic", { permanent: true }) : "sent",
    );
    await stand.take(42, ...toReview);
    await stand.pass(2_000);
    expect(stand.errors).toMatchObject([{ channel: expect.stringMatching(/^ntfy-/u), why: "no such topic" }]);
    expect(await stand.store.channelStates()).toMatchObject([{ waiting: 0, failure: "no such topic" }]);
    await stand.take(43, ...toReview);
    await stand.pass(5_000);
    expect(stand.sent).toHaveLength(2);
  });

  test("trouble that does not end is given up aloud after so many tries", async () => {
    stand = await openNotifyStand(["ntfy://topic?events=merged"]);
    stand.answers("ntfy", new Trouble("notify-unavailable", "down"));
    await stand.take(
      42,
      ...toReview,
      { type: "automerge.set", on: true },
      { type: "pr.merged", head, merge: "c".repeat(40) },
    );
    await stand.pass(2_000);
    for (let n = 0; n < mostTries + 5; n += 1) await stand.pass(5 * minute);
    expect(stand.sent).toHaveLength(mostTries);
    expect(stand.errors).toHaveLength(1);
  });

  test("what a person answered meanwhile is not told any more", async () => {
    stand = await openNotifyStand([topic]);
    stand.answers("ntfy", (n) => (n === 1 ? new Trouble("notify-unavailable", "down") : "sent"));
    await stand.take(42, ...toReview);
    await stand.pass(2_000);
    await stand.take(42, { type: "human.objected", by: "ada", order: "no" });
    await stand.pass(hour);
    expect(stand.sent).toHaveLength(1);
  });

  test("a secret that an answer repeats is in no log line and in no row", async () => {
    stand = await openNotifyStand(["gotify://g.example/AsEcReT.gotify01"]);
    stand.answers(
      "gotify",
      (n) => new Trouble("notify-refused", "bad token AsEcReT.gotify01", { permanent: n > 1 }),
    );
    await stand.take(42, ...toReview);
    await stand.pass(2_000);
    expect((await stand.store.channelStates())[0]?.trouble).toBe("bad token [secret removed]");
    await stand.pass(minute);
    expect(stand.errors).toHaveLength(1);
    expect(JSON.stringify([stand.logged, await stand.store.channelStates()])).not.toContain("sEcReT");
  });
});

describe("a crash", () => {
  const lastOf = (): string | undefined => stand.sent.at(-1)?.message.id;

  test("between a line and its notification forgets nothing and tells nothing twice", async () => {
    stand = await openNotifyStand([topic]);
    stand.crash();
    await stand.take(42, ...toReview);
    stand.start();
    await stand.pass(5_000);
    stand.crash();
    stand.start();
    await stand.pass(5_000);
    expect(stand.sent).toHaveLength(1);
  });

  test.each([
    ["ntfy", topic],
    ["webhook", "json://h.example"],
  ])("between sending and writing that down has %s hear the same message once more", async (service, url) => {
    stand = await openNotifyStand([url]);
    stand.answers(service, (n) => (n === 1 ? "hangs" : "sent"));
    await stand.take(42, ...toReview);
    await stand.pass(2_000);
    const id = lastOf();
    stand.crash();
    stand.start();
    await stand.take(43, ...toReview);
    await stand.pass(2_000);
    expect(stand.sent.map(({ message }) => message.id)).toContain(id);
    expect(stand.sent.filter(({ message }) => message.id === id)).toHaveLength(2);
    expect(stand.sent[0]?.message).toEqual(stand.sent[1]?.message);
    await stand.pass(minute);
    // What came meanwhile is no part of it.
    expect(saidBy()).toEqual([
      "acme/web#42 waits for your review",
      "acme/web#42 waits for your review",
      "acme/web#43 waits for your review",
    ]);
  });

  test("that comes twice so is given up aloud where a repeat cannot be known", async () => {
    stand = await openNotifyStand([topic]);
    stand.answers("ntfy", "hangs");
    await stand.take(42, ...toReview);
    for (let lives = 0; lives < 4; lives += 1) {
      await stand.pass(5_000);
      stand.crash();
      stand.start();
    }
    expect(stand.sent).toHaveLength(2);
    expect(stand.errors).toMatchObject([{ why: "nobody knows whether it arrived, and it was sent 2 times" }]);
  });

  test("is not needed: silence of the service is the same doubt", async () => {
    stand = await openNotifyStand([topic, "json://h.example"]);
    const doubt = new Trouble(unknownOutcome, "no answer in time");
    stand.answers("ntfy", doubt);
    stand.answers("webhook", (n) => (n < 6 ? doubt : "sent"));
    await stand.take(42, ...toReview);
    for (let n = 0; n < 20; n += 1) await stand.pass(5 * minute);
    const ids = (prefix: string): readonly string[] =>
      stand.sent.filter(({ channel }) => channel.startsWith(prefix)).map(({ message }) => message.id);
    expect([ids("ntfy").length, new Set(ids("ntfy")).size]).toEqual([2, 1]);
    expect([ids("webhook").length, new Set(ids("webhook")).size]).toEqual([6, 1]);
    expect(stand.errors).toHaveLength(1);
  });
});

describe("quiet hours", () => {
  const night = "ntfy://topic?events=waiting,blocked&quiet=22:00-07:00&tz=Europe/Berlin&urgent=blocked";

  test("hold messages back and send one bundle at their end, without what was answered meanwhile", async () => {
    stand = await openNotifyStand([night], { at: "2026-01-05T21:30:00Z" });
    for (const issue of [1, 2, 3]) {
      await stand.take(issue, ...toReview);
      await stand.pass(minute);
    }
    await stand.pass(4 * hour);
    await stand.take(2, objected);
    expect(stand.sent).toEqual([]);
    await stand.pass(Date.parse("2026-01-06T05:59:00Z") - stand.clock.now());
    expect(stand.sent).toEqual([]);
    await stand.pass(minute);
    expect(saidBy()).toEqual([
      "2 things from forgehand | acme/web#1 waits for your review | acme/web#3 waits for your review",
    ]);
  });

  test("let pass what is urgent", async () => {
    stand = await openNotifyStand([night], { at: "2026-01-05T23:30:00Z" });
    await stand.take(1, ...toReview);
    await stand.take(2, ...toReview.slice(0, 3), blocked);
    await stand.pass(minute);
    expect(saidBy()).toEqual(["acme/web#2 is blocked"]);
  });

  test.each([
    ["summer time begins", "2026-03-28T21:30:00Z", "2026-03-29T05:00:00Z"],
    ["summer time ends", "2026-10-24T20:30:00Z", "2026-10-25T06:00:00Z"],
  ])("end by the clock on the wall in the night in which %s", async (_, begin, end) => {
    stand = await openNotifyStand([night], { at: begin });
    await stand.take(1, ...toReview);
    await stand.pass(Date.parse(end) - 1_000 - stand.clock.now());
    expect(stand.sent).toEqual([]);
    await stand.pass(1_000);
    expect(stand.sent).toHaveLength(1);
  });
});

describe("the digest", () => {
  const daily = "ntfy://topic?events=digest&digest=08:30&tz=Europe/Berlin";

  test("comes once a day at its hour, across restarts, and tells what the day came to", async () => {
    stand = await openNotifyStand([daily], { at: "2026-01-05T06:00:00Z" });
    await stand.take(
      1,
      ...toReview,
      { type: "automerge.set", on: true },
      { type: "pr.merged", head, merge: "c".repeat(40) },
    );
    await stand.take(2, ...toReview);
    await stand.take(3, ...toReview.slice(0, 3), blocked);
    await stand.pass(Date.parse("2026-01-05T07:29:00Z") - stand.clock.now());
    expect(stand.sent).toEqual([]);
    await stand.pass(2 * minute);
    for (let lives = 0; lives < 3; lives += 1) {
      stand.crash();
      stand.start();
      await stand.pass(hour);
    }
    expect(stand.sent).toHaveLength(1);
    expect(stand.sent[0]?.message.items).toMatchObject([
      {
        says: "The last day: 1 merged, 1 waiting for you, 1 blocked, $0.00 spent",
        why: "Waiting: acme/web#2; Blocked: acme/web#3; Merged: acme/web#1",
      },
    ]);
    await stand.pass(24 * hour);
    expect(saidBy().at(-1)).toBe("The last day: 0 merged, 1 waiting for you, 1 blocked, $0.00 spent");
    expect(stand.sent).toHaveLength(2);
  });

  test("that was missed comes when it starts again, and one of half a day ago not at all", async () => {
    stand = await openNotifyStand([daily], { at: "2026-01-05T06:00:00Z" });
    await stand.pass(2 * hour);
    expect(stand.sent).toHaveLength(1);
    stand.crash();
    await stand.clock.advance(26 * hour);
    stand.start();
    await stand.pass(minute);
    expect(stand.sent).toHaveLength(2);
    stand.crash();
    await stand.clock.advance(34 * hour);
    stand.start();
    await stand.pass(minute);
    expect(stand.sent).toHaveLength(2);
  });

  test("of a channel that was set after its hour comes the next day", async () => {
    stand = await openNotifyStand([daily], { at: "2026-01-05T12:00:00Z" });
    await stand.pass(hour);
    expect(stand.sent).toEqual([]);
    await stand.pass(20 * hour);
    expect(stand.sent).toHaveLength(1);
  });

  test("tells of the channel's own repositories alone", async () => {
    stand = await openNotifyStand(["ntfy://topic?events=digest&repo=acme/api"], {
      at: "2026-01-05T07:00:00Z",
    });
    await stand.take(2, ...toReview);
    await stand.pass(2 * hour);
    expect(saidBy()).toEqual(["The last day: 0 merged, 0 waiting for you, 0 blocked, $0.00 spent"]);
  });
});

test("while everything is halted nothing is sent, and all of it afterwards", async () => {
  stand = await openNotifyStand([topic]);
  await stand.store.raiseHalt({ id: "x", ref: "x" }, "ada", stand.clock.now());
  await stand.take(42, ...toReview);
  await stand.pass(minute);
  expect(stand.sent).toEqual([]);
  await stand.store.liftHalt("x");
  await stand.pass(minute);
  expect(stand.sent).toHaveLength(1);
});

test("what waits for a channel that is not set any more is dropped", async () => {
  stand = await openNotifyStand([topic, "json://h.example"]);
  stand.answers("ntfy", new Trouble("notify-unavailable", "down"));
  await stand.take(42, ...toReview);
  await stand.pass(5_000);
  stand.crash();
  stand.start(["json://h.example"]);
  await stand.pass(5_000);
  const states = await stand.store.channelStates();
  expect(states.map(({ waiting }) => waiting)).toEqual([0, 0]);
});

test("a hostile title is one line without orders before any channel sees it", async () => {
  stand = await openNotifyStand([topic], {
    title: "x\r\nBcc: all\u001b[31m\u202e <!-- hidden --> https://evil.example \u0000",
  });
  await stand.take(42, ...toReview);
  await stand.pass(5_000);
  expect(stand.sent[0]?.message.items[0]?.quoted).toBe("x Bcc: all[31m https[://]evil.example");
});
