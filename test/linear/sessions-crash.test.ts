import { expect, test } from "vitest";
import type { LinearSessions } from "../../src/ports-linear-sessions.ts";
import type { SimActivity } from "../../src/simulator/linear/world.ts";
import type { Store } from "../../src/store/store.ts";
import { readLinear, type LinearSessionHint } from "../../src/webhooks/read-linear.ts";
import { brief, head, sessionsStage, type SessionsStage } from "./sessions-stage.ts";

/** A process that dies when its n-th deed is done and before it knows, which is just before the next one. */
function mortal(at: number) {
  let deeds = 0;
  const dead = (): Promise<never> => Promise.reject(new Error("the process is dead"));
  const mortalised = <Seam extends object>(seam: Seam, names: ReadonlySet<string>): Seam =>
    new Proxy(seam, {
      get: (target, name) => {
        const deed: unknown = Reflect.get(target, name);
        if (typeof deed !== "function" || !names.has(String(name))) return deed;
        return async (...args: unknown[]): Promise<unknown> => {
          const nth = (deeds += 1);
          if (nth > at) return await dead();
          const done: unknown = await Reflect.apply(deed, target, args);
          return nth === at ? await dead() : done;
        };
      },
    });
  return {
    store: (store: Store) =>
      mortalised(
        store,
        new Set([
          "keepLinearSession",
          "putLinearWord",
          "lookedAtLinearSession",
          "linearSaid",
          "linearSessionWrote",
          "linearSessionRests",
          "linearSessionGone",
        ]),
      ),
    port: (port: LinearSessions) => mortalised(port, new Set(["say", "plan", "link", "takeOver"])),
    isDead: () => deeds >= at,
  };
}

/** A ticket's road in a session, told by one process until it dies, and then by the next. */
async function road(
  s: SessionsStage,
  life: ReturnType<typeof mortal>,
): Promise<{ readonly said: readonly string[]; readonly plan: unknown; readonly links: unknown }> {
  let isFirst = true;
  const calm = async (ms: number): Promise<void> => {
    await s.pass(ms);
    if (!isFirst || !life.isDead()) return;
    isFirst = false;
    s.restart();
    await s.pass(20_000);
  };
  s.restart({ store: life.store(s.store), port: life.port(s.port) });
  const issue = s.ada.open(s.eng, "Greet", { description: "Wrong." });
  const session = s.ada.delegate(issue, s.install.user);
  const payload = (await s.heard()).find(({ event }) => event === "AgentSessionEvent")?.payload;
  const hint = readLinear(JSON.stringify(payload)) as LinearSessionHint;
  const greeted = s.keeper().greet(hint);
  for (let n = 0; n < 6; n += 1) {
    await Promise.race([greeted, new Promise((wake) => setTimeout(wake, 5))]);
    await s.clock.advance(2_500);
  }
  await greeted;
  await calm(10_000);
  // The inbox brings it again, to whichever process is alive.
  await s.hear();
  await calm(15_000);
  const run = async (): Promise<string> => (await s.ticket(issue)).ticket.run ?? "";
  await s.happen(issue, { type: "slot.granted" });
  await calm(15_000);
  const gaps = [{ about: "What", missing: "Which?" }] as const;
  await s.happen(issue, { type: "gate.flagged", run: await run(), gaps, comment: "Say which." });
  await calm(15_000);
  s.bob.reply(session, "/forgehand status");
  await s.hear();
  await calm(15_000);
  s.bob.reply(session, "The second");
  await s.hear();
  await calm(15_000);
  await s.happen(issue, { type: "slot.granted" });
  await calm(15_000);
  await s.happen(issue, { type: "gate.passed", run: await run() });
  await calm(15_000);
  await s.happen(issue, { type: "build.delivered", run: await run(), head, summary: "done" });
  await s.happen(issue, { type: "pr.opened", pull: 12, head });
  await calm(15_000);
  await s.happen(issue, { type: "pr.merged", head, merge: "b".repeat(40) });
  await calm(40_000);
  return { said: s.said(session).map(named), plan: session.plan, links: session.externalLinks };
}
/** A restart takes a while, so ages differ. */
const named = (activity: SimActivity): string => brief(activity).replace(/\d+s here/u, "some time here");

test(
  "a process that dies between any two deeds leaves a session in which nothing is said twice and nothing is missing",
  { timeout: 120_000 },
  async () => {
    const whole = await sessionsStage();
    const told = await road(whole, mortal(Infinity));
    await whole.close();
    expect(told.said.map((one) => one.slice(0, 37))).toEqual([
      "thought: I have it, and read the issu",
      "thought: Queued. Waits for a free slo",
      "action: Reads the spec",
      "elicitation: I need 1 thing before I ",
      "elicitation: **Backlog** · round 0/3 ",
      "thought: Queued. Waits for a free slo",
      "action: Reads the spec",
      "action: Builds",
      "action: Reviews with a model of anoth",
      "response: Merged at `aaaaaaa` after 0",
    ]);
    expect(told.plan).toHaveLength(5);
    for (let at = 1; ; at += 1) {
      const life = mortal(at);
      const s = await sessionsStage();
      const again = await road(s, life);
      await s.close();
      if (!life.isDead()) break;
      expect(again, `died with deed ${at}`).toEqual(told);
    }
  },
);
