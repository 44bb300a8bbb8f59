import { describe, expect, test } from "vitest";
import { defaultLabelNames } from "../../bootstrap/labels.ts";
import { bot, facts, heard, labelled, own, person, withLabels } from "../../test/webhooks/facts.ts";
import type { Permission } from "../ports.ts";
import type { Say } from "./heard.ts";
import { interpret } from "./interpret.ts";

const unlabelled = (label: string): Say => ({ type: "unlabelled", label });

describe("a label counts by the permission of whoever set it, now", () => {
  const asked: Readonly<Record<string, "triage" | "write" | "nobody">> = {
    "agent-ready": "triage",
    "runtime/codex": "triage",
    "runtime/claude-code": "triage",
    "workflow/docs": "triage",
    "forgehand:halt": "triage",
    "forgehand:halt-all": "triage",
    "forgehand:do-not-dispatch": "triage",
    "auto-merge": "write",
    "forgehand:hard-reset": "write",
    "needs-spec": "nobody",
    "harness-blocked": "nobody",
  };
  const permissions: readonly Permission[] = ["none", "read", "triage", "write", "maintain", "admin"];
  const cases = Object.entries(asked).flatMap(([label, needs]) =>
    permissions.flatMap((permission) =>
      [person, bot, own].map((sender) => ({ label, needs, permission, sender, kind: sender.kind })),
    ),
  );
  test.each(cases)("$label by a $kind with $permission", ({ label, needs, permission, sender }) => {
    const outcome = interpret(
      heard(labelled(label), sender),
      facts({ permission, issue: withLabels(label) }),
    );
    const enough =
      sender.kind === "person" &&
      needs !== "nobody" &&
      permissions.indexOf(permission) >= permissions.indexOf(needs);
    if (enough) {
      expect("refused" in outcome || "ignored" in outcome).toBe(false);
    } else {
      expect("events" in outcome ? outcome.events : []).toEqual([]);
      expect(outcome).not.toHaveProperty("halt");
    }
  });

  test("agent-ready releases the text as it reads now", () => {
    expect(interpret(heard(labelled("agent-ready")), facts())).toEqual({
      events: [{ type: "ready.granted", spec: "new" }],
    });
  });
  test("the runtime a label picked is told before the release", () => {
    const two = withLabels("agent-ready", "runtime/codex");
    expect(interpret(heard(labelled("agent-ready")), facts({ issue: two }))).toEqual({
      events: [
        { type: "runtime.chosen", runtime: "codex" },
        { type: "ready.granted", spec: "new" },
      ],
    });
  });
  test("two runtime labels are contested", () => {
    const both = withLabels("runtime/codex", "runtime/claude-code");
    expect(interpret(heard(labelled("runtime/codex")), facts({ issue: both }))).toEqual({
      events: [{ type: "runtime.chosen", runtime: "contested" }],
    });
  });
  test("a workflow label picks what builds, beside the runtime", () => {
    const both = withLabels("runtime/codex", "workflow/docs");
    expect(interpret(heard(labelled("workflow/docs")), facts({ issue: both }))).toEqual({
      events: [{ type: "runtime.chosen", runtime: "codex", workflow: "docs" }],
    });
  });
  test("two workflow labels are contested", () => {
    const two = withLabels("workflow/docs", "workflow/careful");
    expect(interpret(heard(labelled("workflow/docs")), facts({ issue: two }))).toEqual({
      events: [{ type: "runtime.chosen", runtime: "contested" }],
    });
  });
  test("a workflow nobody configured is refused, naming those that exist", () => {
    const odd = withLabels("workflow/magic");
    expect(interpret(heard(labelled("workflow/magic")), facts({ issue: odd }))).toMatchObject({
      refused: "label workflow/magic: there is no such workflow; there is workflow/docs, workflow/careful",
    });
  });

  test("a runtime nobody configured is refused, naming those that exist", () => {
    const odd = withLabels("runtime/gpt");
    expect(interpret(heard(labelled("runtime/gpt")), facts({ issue: odd }))).toMatchObject({
      refused: expect.stringContaining("runtime/claude-code, runtime/codex"),
    });
  });
  test("a label that is gone again when the facts are read counts for nothing", () => {
    expect(interpret(heard(labelled("auto-merge")), facts())).toHaveProperty("ignored");
  });
  test("a label on the pull request counts for nothing", () => {
    const on = heard(labelled("auto-merge"), person, { pull: 43 });
    expect(interpret(on, facts({ issue: withLabels("auto-merge") }))).toHaveProperty("ignored");
  });
  test("a renamed label is known by its new name only", () => {
    const labels = { ...defaultLabelNames, "agent-ready": "queue me" };
    const renamed = withLabels("queue me", "agent-ready");
    expect(interpret(heard(labelled("queue me")), facts({ labels, issue: renamed }))).toHaveProperty(
      "events",
    );
    expect(interpret(heard(labelled("agent-ready")), facts({ labels, issue: renamed }))).toHaveProperty(
      "ignored",
    );
  });
  test("a listed bot may queue but not consent to a merge", () => {
    const change = {
      allowBots: [bot.login],
      permission: "none",
      issue: withLabels("agent-ready", "auto-merge"),
    } as const;
    expect(interpret(heard(labelled("agent-ready"), bot), facts(change))).toHaveProperty(
      "events.0.type",
      "ready.granted",
    );
    expect(interpret(heard(labelled("auto-merge"), bot), facts(change))).toMatchObject({
      events: [],
      refused: expect.any(String),
    });
  });
});

describe("taking a label away", () => {
  const none = withLabels();
  test("consent is withdrawn whoever does it", () => {
    const by = facts({ permission: "none", issue: none });
    expect(interpret(heard(unlabelled("agent-ready"), bot), by)).toEqual({
      events: [{ type: "ready.revoked" }],
    });
    expect(interpret(heard(unlabelled("auto-merge"), bot), by)).toEqual({
      events: [{ type: "automerge.set", on: false }],
    });
  });
  test("a halt is lifted only by somebody who may, and for all only with write", () => {
    const at = (permission: Permission, label: string) =>
      interpret(heard(unlabelled(label)), facts({ permission, issue: none }));
    expect(at("read", "forgehand:halt")).toMatchObject({ events: [], refused: expect.any(String) });
    expect(at("triage", "forgehand:halt")).toEqual({ events: [{ type: "halt.lifted" }] });
    expect(at("triage", "forgehand:halt-all")).toMatchObject({ events: [], refused: expect.any(String) });
    expect(at("write", "forgehand:halt-all")).toEqual({ halt: "lifted" });
  });
  test("taking harness-blocked off is a retry; our own doing so is not", () => {
    expect(interpret(heard(unlabelled("harness-blocked")), facts({ issue: none }))).toEqual({
      events: [{ type: "operator.retried" }],
    });
    expect(interpret(heard(unlabelled("harness-blocked"), own), facts({ issue: none }))).toHaveProperty(
      "ignored",
    );
  });
  test("a label that is back when the facts are read was never gone", () => {
    expect(interpret(heard(unlabelled("agent-ready")), facts())).toHaveProperty("ignored");
  });
});
