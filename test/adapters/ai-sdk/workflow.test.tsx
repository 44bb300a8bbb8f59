/** A workflow's task names such an agent like any other. */
import { mkdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { leaf, Sequence, Task, usedIn } from "#engine";
import { runMarks } from "../../../src/adapters/processes/run-marks.ts";
import { openHost } from "../../../src/adapters/workflows/host.ts";
import { open, simple } from "../../engine/world.ts";
import { openStand, tool, type Stand } from "./stand.ts";

let stand: Stand;
beforeEach(async () => {
  stand = await openStand();
});
afterEach(() => stand.close());

const Count = z.object({ words: z.int().min(1) });
const draft = leaf("draft", z.object({ file: z.string() }));
const count = leaf("count", Count);

test("its answers are the tasks' outputs, its dollars are counted, and a later task goes on in its session", async () => {
  stand.model.script("draft", [
    tool("write", { path: "draft.md", text: "Two words" }),
    { answer: { file: "draft.md" } },
  ]);
  stand.model.script("count", [{ answer: { words: 0 } }, { answer: { words: 2 } }]);
  mkdirSync(stand.at("run"));
  const prices = { input: 1, cached: 1, output: 100 };
  const host = openHost({
    folder: stand.at("run"),
    agents: new Map([["own", stand.agent("openai", { entry: stand.entry("openai", { prices }) })]]),
    marks: runMarks(stand.at("w.db")),
    searchPath: process.env["PATH"] ?? "/usr/bin:/bin",
    home: stand.at("home"),
    clock: stand.clock,
  });
  const world = await open(
    simple(() => (
      <Sequence>
        <Task {...draft} agent="own" prompt="Draft it. [[draft]]" usd={1} />
        <Task {...count} agent="own" prompt="Count them. [[count]]" access="read" continues={draft} />
      </Sequence>
    )),
    stand.at("w.db"),
    undefined,
    { host },
  );
  await world.start();
  const attempts = await world.engine.attempts("r");
  expect(attempts.map(({ leaf, status, output }) => [leaf, status, output])).toEqual([
    ["draft", "finished", { file: "draft.md" }],
    ["count", "finished", { words: 2 }],
  ]);
  expect(readFileSync(stand.at("run", "draft.md"), "utf8")).toBe("Two words");
  // Four calls, the second task's first answer being refused, at 1000 tokens in and 40 out.
  expect((await world.sql.read(() => usedIn("r"))).usd).toBeCloseTo(0.02, 6);
  const last = stand.asked().at(-1) ?? "";
  expect(last).toContain("[[draft]]");
  expect(last).toContain("Too small");
  const { tools } = JSON.parse(last) as { tools: { name: string }[] };
  expect(tools.map(({ name }) => name)).toEqual(["read", "list", "search"]);
});
