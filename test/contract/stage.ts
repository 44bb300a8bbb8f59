import { expect, test } from "vitest";
import type { Hooks } from "../../src/ports-hooks.ts";
import type { Forge, Key, Repo, Tracker, Voice } from "../../src/ports.ts";
import { fakeForge } from "../../src/simulator/fakes/forge.ts";
import { fakeHooks } from "../../src/simulator/fakes/hooks.ts";
import { openHub } from "../../src/simulator/fakes/hub.ts";
import type { HubWrite } from "../../src/simulator/fakes/hub.ts";
import { peopleOf } from "../../src/simulator/fakes/people.ts";
import type { People } from "../../src/simulator/fakes/people.ts";
import { fakeTracker } from "../../src/simulator/fakes/tracker.ts";
import { fakeVoice } from "../../src/simulator/fakes/voice.ts";

/** A repository with people in it and the four ports on it: the fakes, or the GitHub adapter on a GitHub. */
export interface Stage {
  readonly repo: Repo;
  readonly forge: Forge;
  readonly tracker: Tracker;
  readonly voice: Voice;
  readonly hooks: Hooks;
  readonly people: People;
  /** Login of the App's bot account. */
  readonly bot: string;
  /** Every write announced or performed so far. */
  readonly writes: readonly { readonly operation: string }[];
  /** The next write is performed, and its answer lost. */
  loseNextReply(): void;
  close(): Promise<void>;
}
/** Claims that a stage cannot show, by name, each with the reason. */
export type Exceptions = Readonly<Record<string, string>>;

/** Declares the claims of a suite; those that a stage cannot show are left out by name. */
export function claims(exceptions: Exceptions): {
  readonly claim: (what: string, body: () => Promise<void>) => void;
  readonly everyExceptionIsAClaim: () => void;
} {
  const known = new Set<string>();
  return {
    claim: (what, body) => {
      known.add(what);
      test.skipIf(what in exceptions)(what, body);
    },
    everyExceptionIsAClaim: () => {
      test("every exception names a claim", () => {
        expect(Object.keys(exceptions).filter((what) => !known.has(what))).toEqual([]);
      });
    },
  };
}

export const key = (name: string): Key => name as Key;

/** The people every stage knows. */
export const cast = { ada: "admin", wren: "write", tess: "triage", rob: "read" } as const;

export async function fakeStage(): Promise<Stage> {
  let now = 1_700_000_000_000;
  const hub = openHub({ clock: { now: () => (now += 1000) } });
  const people = peopleOf(hub);
  for (const [login, permission] of Object.entries(cast)) await people.join(login, permission);
  return {
    repo: hub.repo,
    forge: fakeForge(hub),
    tracker: fakeTracker(hub),
    voice: fakeVoice(hub),
    hooks: fakeHooks(hub),
    people,
    bot: hub.bot,
    writes: hub.writes satisfies readonly HubWrite[],
    loseNextReply: () => hub.loseNextReply(),
    close: async () => {},
  };
}

/** How many writes this made. */
export async function writesOf(stage: Stage, work: () => Promise<unknown>): Promise<number> {
  const before = stage.writes.length;
  await work();
  return stage.writes.length - before;
}

/** Does it while the answer to its write is lost, then again, as the outbox would. */
export async function doTwice(
  stage: Stage,
  work: () => Promise<unknown>,
): Promise<"lost once" | "never lost"> {
  stage.loseNextReply();
  const lost = await work().then(
    () => false,
    () => true,
  );
  await work();
  return lost ? "lost once" : "never lost";
}
