/** The label vocabulary: every label forgehand reads or writes, who may set it, and what it does. */

/** Who may set a label, at least: `triage` releases or stops work, `write` decides what reaches the default branch. */
export type LabelNeeds = "triage" | "write" | "forgehand";

export interface Label {
  /** Without `#`, as GitHub wants it. */
  readonly color: string;
  /** At most 100 characters, as GitHub wants it. */
  readonly description: string;
  /** Permission a person needs for the label to count; `forgehand` sets it itself. */
  readonly setBy: LabelNeeds;
  /** Permission a person needs for its removal to count; `anyone` where removal only withdraws consent. */
  readonly removedBy: "triage" | "write" | "anyone";
}

/** By its canonical name; a repository may rename each in `labels:` of its configuration. */
export const labels = {
  "agent-ready": {
    color: "0e8a16",
    description: "Queue this issue for an agent. Removing it takes the issue back.",
    setBy: "triage",
    removedBy: "anyone",
  },
  "needs-spec": {
    color: "fbca04",
    description: "The spec gate found gaps: edit the issue, then set agent-ready again.",
    setBy: "forgehand",
    removedBy: "triage",
  },
  "harness-blocked": {
    color: "b60205",
    description: "Stopped until a person acts: removing the label, or /forgehand retry, tries again.",
    setBy: "forgehand",
    removedBy: "triage",
  },
  "auto-merge": {
    color: "5319e7",
    description:
      "Merge without a human approval once reviewed and green. Counts only from people with write.",
    setBy: "write",
    removedBy: "anyone",
  },
  "runtime/codex": {
    color: "1d76db",
    description: "Build with Codex; the other model family reviews.",
    setBy: "triage",
    removedBy: "triage",
  },
  "runtime/claude-code": {
    color: "1d76db",
    description: "Build with Claude Code; the other model family reviews.",
    setBy: "triage",
    removedBy: "triage",
  },
  "forgehand:halt": {
    color: "d93f0b",
    description: "Stop work on this issue now and keep it stopped.",
    setBy: "triage",
    removedBy: "triage",
  },
  "forgehand:halt-all": {
    color: "d93f0b",
    description: "Stop all work of forgehand, everywhere, until a person with write removes this.",
    setBy: "triage",
    removedBy: "write",
  },
  "forgehand:hard-reset": {
    color: "d93f0b",
    description: "Throw away branch, pull request and worktree of this issue and start from the backlog.",
    setBy: "write",
    removedBy: "anyone",
  },
  "forgehand:do-not-dispatch": {
    color: "c5def5",
    description: "Keep this issue where it is: nothing new starts while the label is set.",
    setBy: "triage",
    removedBy: "triage",
  },
  "forgehand:self-update": {
    color: "5319e7",
    description: "Update forgehand itself as this issue pins it. Counts only from its operators.",
    setBy: "triage",
    removedBy: "anyone",
  },
} as const satisfies Record<string, Label>;

export type LabelName = keyof typeof labels;
/** Canonical name → the name this repository uses. */
export type LabelNames = Readonly<Record<LabelName, string>>;

export const labelNames = Object.keys(labels) as readonly LabelName[];

/** Every label with how it looks, by the names that are given for them, else by its own. */
export const vocabulary = (names?: LabelNames) =>
  labelNames.map((label) => ({
    label,
    name: names?.[label] ?? label,
    color: labels[label].color,
    description: labels[label].description,
  }));

/** Every label under its own name; what a repository's `labels:` is laid over. */
export const defaultLabelNames: LabelNames = Object.fromEntries(
  labelNames.map((name) => [name, name]),
) as LabelNames;

/** Labels that pick a runtime start with this, whatever the runtime is called. */
export const runtimePrefix = "runtime/";
/** Labels that pick the workflow which builds start with this; `triage` sets and removes them. */
export const workflowPrefix = "workflow/";
