import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claudeCode } from "../../../src/adapters/agents/claude-code.ts";
import { systemClock } from "../../../src/adapters/clock.ts";
import { codex } from "../../../src/adapters/agents/codex.ts";
import { openSessionLog } from "../../../src/adapters/logs/session-log.ts";
import { readSessionLog } from "../../../src/adapters/logs/session-log-reader.ts";
import type { Agent, WorkOrder } from "../../../src/ports-agents.ts";
import type { LogLine } from "../../../src/session-logs.ts";
import { redact } from "../../../src/secrets.ts";
import { recorded } from "../../../src/workflows/recorded.ts";
import { readSample } from "./samples.ts";
import { orderIn } from "./turns.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kept-"));
  for (const name of ["tree", "home", "codex"]) mkdirSync(join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const clock = systemClock();
const order = (): WorkOrder => orderIn(join(folder, "tree"));
/** Its binary prints these lines, and complains on stderr. */
function agentThatPrints(name: "claude-code" | "codex", lines: readonly string[]): Agent {
  writeFileSync(join(folder, "lines"), `${lines.join("\n")}\n`);
  const binary = join(folder, "fake");
  writeFileSync(binary, `#!/bin/sh\ncat >/dev/null\ncat "${join(folder, "lines")}"\nprintf 'oh\\nno' >&2\n`);
  chmodSync(binary, 0o755);
  const host = { home: join(folder, "home"), searchPath: "/usr/bin:/bin", tmp: tmpdir(), own: {} };
  const common = { binary, host, stateDir: join(folder, "state"), clock };
  return name === "codex" ? codex({ ...common, codexHome: join(folder, "codex") }) : claudeCode(common);
}
async function keep(agent: Agent): Promise<readonly LogLine[]> {
  const log = openSessionLog({ folder: join(folder, "logs"), clock, redact, warn: () => undefined });
  for await (const said of recorded({ log: log.add }, "one", agent, order(), new AbortController().signal))
    expect(said).toBeDefined();
  log.close("one");
  return readSessionLog(log.pathOf("one"))?.lines ?? [];
}

test.each([
  ["claude-code", "claude-edit"],
  ["codex", "codex-edit"],
] as const)(
  "every line %s prints is kept as it is, and what is heard of it right behind",
  async (name, sample) => {
    const { lines } = readSample(sample);
    const kept = await keep(agentThatPrints(name, lines));
    const of = (type: LogLine["type"]) => kept.flatMap((one) => (one.type === type ? one.text : []));
    expect(of("stdout")).toEqual(lines);
    expect(of("stderr")).toEqual(["oh", "no"]);
    expect(kept[0]).toMatchObject({ type: "prompt", text: "Do it." });
    expect(kept.at(-1)).toMatchObject({ type: "result", text: "done" });
    expect(of("usage").length).toBeGreaterThan(0);
    const told = kept.filter(({ type }) => type !== "stderr");
    const tool = told.findIndex(({ type }) => type === "tool");
    expect(told[tool - 1]?.type).toBe("stdout");
  },
);

test("a line of 50 MB, bytes that are no text and a secret are kept short, readable and without it", async () => {
  const secret = `ghp_${"a1B2".repeat(10)}`;
  const kept = await keep(
    agentThatPrints("codex", [`{"x":"${"y".repeat(50_000_000)}"}`, `not \u0000 json ${secret}`]),
  );
  const raw = kept.flatMap(({ type, text }) => (type === "stdout" ? text : []));
  expect(raw[0]?.length).toBeLessThan(300_000);
  expect(raw[1]).toBe("not \u0000 json [GitHub token removed]");
});
