import { caps } from "../test/caps.ts";
import type { Policy, TicketId } from "../src/state-machine/ticket.ts";
import type { TicketEvent } from "../src/state-machine/event.ts";
import type { Store } from "../src/store/store.ts";
import { built } from "./built.ts";

const repo = 1;
const policy: Policy = { maxAttempts: 3, maxCycles: 3, maxUnreviewed: 3, mergeAfterApproval: true };

/** Walks tickets to In Review through the real step, where they wait for a person; their effects are marked sent. */
export async function park(store: Store, count: number): Promise<void> {
  const { step } = await built("step");
  await store.knowRepo({
    id: repo,
    owner: "acme",
    name: "web",
    installation: 1,
    defaultBranch: "main",
    private: false,
  });
  const one = async (number: number): Promise<void> => {
    const ticket: TicketId = `github:${repo}#${number}`;
    const head = number.toString(16).padStart(40, "0");
    await store.name(
      ticket,
      {
        repo,
        number,
        ref: `acme/web#${number}`,
        title: `Ticket ${number}`,
        url: `https://github.com/acme/web/issues/${number}`,
        author: "ada",
        branch: `forgehand/${number}-ticket`,
      },
      1,
    );
    const events: readonly TicketEvent[] = [
      { type: "ready.granted", spec: "5".repeat(64) },
      { type: "slot.granted" },
      { type: "gate.passed", run: `${ticket}/1` },
      { type: "build.delivered", run: `${ticket}/2`, head, summary: "done" },
      { type: "review.passed", run: `${ticket}/3`, head, summary: "fine", needsPerson: [] },
    ];
    for (const [index, event] of events.entries()) {
      const { row } = await step(store, {
        ticket,
        event,
        eventId: `${ticket}:${index}`,
        actor: "ada",
        policy,
        caps,
        runLimitMs: 3_600_000,
        now: Date.now(),
      });
      if (row === undefined) throw new Error(`no row took ${event.type}`);
    }
  };
  const together = 200;
  for (let from = 1; from <= count; from += together) {
    await Promise.all(
      Array.from({ length: Math.min(together, count - from + 1) }, (_, index) => one(from + index)),
    );
  }
}
