import { describe, expect, test } from "vitest";
import type { AgentOutcome } from "../../../src/ports-agents.ts";
import { readSample } from "./samples.ts";
import { all, at, make, notes, onStage, order, script, scriptSample } from "./stage.ts";
import { work } from "./turns.ts";

onStage();

type Name = (typeof all)[number];
const prefix: Readonly<Record<Name, string>> = {
  "claude-code": "claude",
  codex: "codex",
  "codex-app-server": "app-server",
  pi: "pi",
};
const edit = (name: Name): readonly string[] => readSample(`${prefix[name]}-edit`).lines;
const middle = (name: Name): number => Math.floor(edit(name).length / 2);
const hugeBytes = 50 * 1024 * 1024;

describe.each(all)("%s", (name) => {
  test("a line of 50 MB is passed over, and what comes after it counts", async () => {
    script({ lines: edit(name), huge: middle(name), hugeBytes });
    const { outcome } = await work(make(name), order());
    expect(outcome.is).toBe("done");
  });

  test("bytes that are no text are passed over", async () => {
    script({ lines: edit(name), invalid: middle(name) });
    expect((await work(make(name), order())).outcome.is).toBe("done");
  });

  test("what stderr says between the lines is no part of the stream", async () => {
    script({ lines: edit(name), chatter: "yes" });
    const quiet = edit(name);
    const { says, outcome } = await work(make(name), order());
    expect(outcome.is).toBe("done");
    script({ lines: quiet });
    const again = await work(make(name), order());
    const told = ({ type }: { readonly type: string }) => type === "text" || type === "tool";
    expect(says.filter(told)).toEqual(again.says.filter(told));
  });

  test("exit 0 without a result is no success", async () => {
    script({ lines: edit(name).slice(0, middle(name)), exit: 0, leaves: "yes" });
    const { outcome } = await work(make(name), order());
    expect(outcome).toMatchObject({ is: "failed", how: "retry", code: "no-result" });
    script({ lines: [], exit: 0, leaves: "yes" });
    expect((await work(make(name), order())).outcome).toMatchObject({ how: "retry", code: "no-result" });
  });

  test("a version that does not understand how it is called blocks, and says what to install", async () => {
    const words = {
      "claude-code": "error: unknown option '--strict-mcp-config'",
      codex: "error: unexpected argument '--ignore-user-config' found",
      "codex-app-server": "error: unrecognized subcommand 'app-server'",
      pi: "Error: Unknown option: --offline",
    }[name];
    script({ stderr: `${words}\n`, exit: 2, leaves: "yes" });
    expect((await work(make(name), order())).outcome).toMatchObject({
      how: "blocked",
      code: "other-version",
      why: expect.stringMatching(/install it anew with `npm install -g @/u),
    });
  });

  test("who is not logged in is told how", async () => {
    const sample = {
      "claude-code": "claude-e401",
      codex: "codex-e401",
      "codex-app-server": "app-server-e401",
      pi: "pi-no-login",
    };
    scriptSample(sample[name]);
    expect((await work(make(name), order())).outcome).toMatchObject({
      how: "blocked",
      code: "logged-out",
      why: expect.stringMatching(/is not logged in: run `/u),
    });
  });

  test("a model nobody knows blocks, and its name is never read as an option", async () => {
    script({
      lines: unknownModel[name],
      stderr: name === "pi" ? 'Error: Model "nosuch-9" not found.' : "",
      exit: 1,
    });
    const { outcome } = await work(make(name), order({ model: "nosuch-9" }));
    expect(outcome).toMatchObject({
      how: "blocked",
      code: "model-unknown",
      why: expect.stringMatching(/correct its name/u),
    });
    const called = notes().length;
    expect((await work(make(name), order({ model: "--help" }))).outcome).toMatchObject({
      code: "model-unknown",
    });
    expect(notes()).toHaveLength(called);
  });

  test("a schema that was ignored gives no structured answer, and the words to look at", async () => {
    script({ lines: edit(name) });
    const { outcome } = await work(make(name), order({ schema: { type: "object" } }));
    const words = outcome.is === "done" ? outcome.text : "";
    expect(outcome).toMatchObject({ is: "done", structured: undefined });
    expect(words).not.toBe("");
  });

  test("an absent binary blocks, whoever asks for it", async () => {
    const absent: AgentOutcome = (await work(make(name, at("nowhere")), order())).outcome;
    expect(absent).toMatchObject({ how: "blocked", code: "runtime-absent" });
    expect(await make(name, at("nowhere")).probe()).toMatchObject({ found: false });
  });
});

test("a result that calls itself a success and holds an error is none", async () => {
  for (const sample of ["claude-e401", "claude-e500", "claude-malformed", "claude-refuse"]) {
    expect(readSample(sample).lines.at(-1)).toMatch(/"subtype":"success"/u);
    scriptSample(sample);
    expect((await work(make("claude-code"), order())).outcome.is).toBe("failed");
  }
  for (const sample of ["pi-e500", "pi-malformed", "pi-refuse", "app-server-e500", "app-server-cut"]) {
    expect(readSample(sample).end.exit).toBe(0);
    scriptSample(sample);
    expect((await work(make(sample.startsWith("pi") ? "pi" : "codex-app-server"), order())).outcome.is).toBe(
      "failed",
    );
  }
});

const unknownModel: Readonly<Record<Name, readonly string[]>> = {
  "claude-code": [
    '{"type":"assistant","session_id":"s","error":"model_not_found","message":{"id":"m","model":"<synthetic>","content":[]}}',
    '{"type":"result","subtype":"success","is_error":true,"session_id":"s","api_error_status":404,"result":"There is an issue with the selected model (nosuch-9)."}',
  ],
  codex: [
    '{"type":"thread.started","thread_id":"01a1fbeb-daee-7a73-bc5f-d4c80b2af1dc"}',
    '{"type":"turn.failed","error":{"message":"The model `nosuch-9` does not exist or you do not have access to it."}}',
  ],
  "codex-app-server": [
    ...edit("codex-app-server").slice(0, 3),
    edit("codex-app-server")
      .at(-1)
      ?.replace('"status":"completed"', '"status":"failed"')
      .replace('"error":null', '"error":{"message":"no such model","codexErrorInfo":"modelNotFound"}') ?? "",
  ],
  pi: [],
};
