/** What a certificate says of consent and checks, for ticket lives that end by hand or in a second try. */
import { expect, test } from "vitest";
import { certificateOf } from "../../src/certificate/compose.ts";
import type { Certificate } from "../../src/certificate/schema.ts";
import type { MergeFacts } from "../../src/state-machine/evidence.ts";
import type { TicketEvent } from "../../src/state-machine/event.ts";
import type { State } from "../../src/state-machine/ticket.ts";
import type { Line } from "../../src/store/ledger.ts";

const head = "a".repeat(40);
const merge = "b".repeat(40);
const checksOf = (conclusion: string) => ({
  list: [{ name: "unit", conclusion, app: "ci" }],
  omitted: 0,
});
const facts: MergeFacts = {
  ref: "acme/web#7",
  pull: { number: 8, url: "https://github.com/acme/web/pull/8", base: "main" },
  commit: { tree: "c".repeat(40), parents: ["d".repeat(40)] },
  by: { login: "forgehand[bot]", kind: "forgehand", permission: null },
  checks: checksOf("failure"),
  makers: [],
  cost: { usd: 0, guessed: false, inputTokens: 0, outputTokens: 0, sessions: 0 },
};

/** The certificate of a ticket to which this happened, and then the merge of its head. */
function certified(
  steps: readonly (readonly [TicketEvent, State])[],
  by: MergeFacts["by"] = facts.by,
): Certificate {
  const all = [...steps, [{ type: "pr.merged", head, merge }, "Done"] as const];
  const lines = all.map(([event, to], index) => ({
    seq: index + 1,
    ticket: "github:1#7",
    actor: "bob",
    permission: "write",
    at: index,
    event,
    to,
    hash: "0".repeat(64),
  })) as unknown as readonly Line[];
  const merged = lines.at(-1);
  if (merged === undefined) throw new Error("nothing was merged");
  return certificateOf(lines, merged, { ...facts, by }).certificate;
}

const delivered = [{ type: "build.delivered", run: "r1", head, summary: "" }, "Adversarial Review"] as const;
const passed = (needsPerson: readonly string[], to: State) =>
  [{ type: "review.passed", run: "r2", head, summary: "", needsPerson }, to] as const;
const labelled = (to: State) => [{ type: "automerge.set", on: true }, to] as const;
const approved = (to: State) => [{ type: "human.approved", head, by: "bob" }, to] as const;
const asked = [
  { type: "merge.asked", head, base: "d".repeat(40), method: "squash", checks: checksOf("success") },
  "Merging",
] as const;

test("the label consents to no head that the gates wanted a person for, whatever became of the verdict", () => {
  const found = certified(
    [
      delivered,
      passed(["a test was deleted"], "In Review"),
      labelled("In Review"),
      [{ type: "human.objected", by: "ada", order: "no" }, "Rework"],
    ],
    { login: "ada", kind: "person", permission: "write" },
  );
  expect(found.consent).toBeNull();
  expect(found.gaps).toContain("no-consent");
});

test("the label consents to a head that the gates let pass", () => {
  const found = certified([delivered, labelled("Adversarial Review"), passed([], "Merging"), asked]);
  expect(found.consent).toMatchObject({ how: "auto-merge", line: 2 });
});

test("checks are those of before the merge only where that asking led to it", () => {
  const once = certified([delivered, passed([], "In Review"), approved("Merging"), asked]);
  expect(once.checks).toMatchObject({ seen: "before", line: 4, list: [{ conclusion: "success" }] });
  const again = certified([
    delivered,
    passed([], "In Review"),
    approved("Merging"),
    asked,
    [{ type: "approval.withdrawn", head, by: "bob" }, "In Review"],
    [{ type: "checks.started", head }, "In Review"],
    approved("Merging"),
  ]);
  expect(again.checks).toMatchObject({ seen: "after", line: null, list: [{ conclusion: "failure" }] });
  expect(again.gaps).toContain("checks-seen-afterwards");
});
