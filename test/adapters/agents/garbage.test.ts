import { expect, test } from "vitest";
import type { RuntimeFacts } from "../../../src/adapters/agents/failure.ts";
import type { AgentStream } from "../../../src/adapters/agents/turn.ts";
import { claudeStream } from "../../../src/adapters/agents/claude-stream.ts";
import { codexConversation } from "../../../src/adapters/agents/codex-conversation.ts";
import { codexStream } from "../../../src/adapters/agents/codex-stream.ts";
import { piStream } from "../../../src/adapters/agents/pi-stream.ts";
import { virtualClock } from "../../../src/simulator/virtual-clock.ts";
import { cleanEnd, readSample, sampleNames } from "./samples.ts";

const runtime: RuntimeFacts = { title: "It", binary: "it", install: "install", login: "log in" };
const clock = virtualClock(0);
const rounds = 40;

/** A small generator, so that a failing round can be played again from its seed. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const oddities: readonly unknown[] = [
  null,
  [],
  {},
  "",
  "x",
  -1,
  1e308,
  true,
  { content: null },
  [null, 1, { type: 5 }],
];

/** Puts something odd in the place of one value, however deep. */
function twist(value: unknown, roll: (below: number) => number): unknown {
  if (typeof value !== "object" || value === null || roll(4) === 0) return oddities[roll(oddities.length)];
  if (Array.isArray(value)) return value.map((one, at) => (at === 0 ? twist(one, roll) : one));
  const keys = Object.keys(value);
  const chosen = keys[roll(keys.length)];
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, key === chosen ? twist(one, roll) : one]),
  );
}

function damage(line: string, roll: (below: number) => number): string {
  switch (roll(6)) {
    case 0:
      return line.slice(0, roll(line.length));
    case 1:
      return `${line.slice(roll(line.length))}\u0000\uFFFD`;
    case 2:
      return JSON.stringify(oddities[roll(oddities.length)]);
    case 3:
    case 4:
      return JSON.stringify(twist(JSON.parse(line), roll));
    default:
      return line;
  }
}

const asked = {
  order: {
    role: "build",
    prompt: "Do it.",
    cwd: "/WORK/wt-app",
    resume: undefined,
    access: "write",
    schema: { type: "object" },
    runId: "run",
    model: undefined,
    limits: { turnMs: 1, stallMs: 1, outputTokens: 1, usd: 1 },
  },
  sandbox: "workspace-write",
  runtime,
  clock,
} as const;
const streams: readonly (readonly [string, () => AgentStream])[] = [
  ...sampleNames("claude").map((name) => [name, () => claudeStream(runtime, clock)] as const),
  ...sampleNames("codex").map((name) => [name, () => codexStream(runtime, "json", clock)] as const),
  ...sampleNames("app-server").map((name) => [name, () => codexConversation(asked)] as const),
  ...sampleNames("pi").map((name) => [name, () => piStream(runtime, "json", clock)] as const),
];

test.each(streams)(
  "%s cut and damaged anywhere never throws, and never passes for done without its answer",
  (name, open) => {
    const { lines } = readSample(name);
    for (let seed = 1; seed <= rounds; seed += 1) {
      const roll = dice(seed * 7_919);
      const heard = lines.slice(0, roll(lines.length + 1)).map((line) => damage(line, roll));
      const stream = open();
      for (const line of heard) {
        for (const seen of stream.read(line)) {
          if (seen.type !== "total" && seen.type !== "estimate") continue;
          expect(Object.values(seen.usage).every((count) => count === undefined || count >= 0)).toBe(true);
        }
      }
      const outcome = stream.outcome({ ...cleanEnd, exit: [0, 1, 143, undefined][roll(4)] });
      expect(outcome.is === "failed" ? outcome.why.length : 1).toBeGreaterThan(0);
      if (outcome.is === "done")
        expect(
          heard.some((line) => /"(?:result|turn\.completed|agent_end|turn\/completed)"/u.test(line)),
        ).toBe(true);
    }
  },
);
