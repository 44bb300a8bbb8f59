import { describe, expect, test } from "vitest";
import { readLayer } from "./config-layer.ts";
import { fileFromWorkflow } from "./config-migrate.ts";
import { readWorkflow } from "./config-workflow.ts";

const workflow = `---
# Which board.
tracker: { kind: linear, api_key: lin_api_secret }
# Where it is made ready.
hooks:
  # Needs the network.
  after_create: |
    npm ci
    npm run prepare
  timeout_ms: 90000 # generous
codex: { model: gpt-5.5 }
---
Build {{ issue.title }}.

{% if attempt %}Again.{% endif %}
`;

describe("a workflow file made into one of ours", () => {
  test("says the same", () => {
    const made = readLayer(fileFromWorkflow(workflow, "WORKFLOW.md"));
    expect(made.problems).toEqual([]);
    expect(made.said).toEqual({ version: 1, ...readWorkflow(workflow).said });
  });

  test("keeps comments, and says what was left out, but no key that stood there", () => {
    const made = fileFromWorkflow(workflow, "WORKFLOW.md");
    expect(made).toMatch(/^# yaml-language-server: \$schema=/u);
    expect(made).toContain("  # Needs the network.\n  after_create: |-\n    npm ci\n");
    expect(made).toContain("# generous");
    expect(made).toContain("# Which board.");
    expect(made).toContain("# Where it is made ready.\nhooks:\n");
    expect(made).toContain("#   tracker.kind: which board");
    expect(made).toContain("build: |");
    expect(made).not.toContain("lin_api_secret");
  });

  test("is a file even where there is nothing to say", () => {
    expect(readLayer(fileFromWorkflow("---\npolling: {}\n---\n", "WORKFLOW.md")).said).toEqual({
      version: 1,
    });
  });
});
