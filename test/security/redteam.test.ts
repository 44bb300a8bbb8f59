/** The plays with gullible agents: what forgehand promises holds in each, and a promise that is broken is caught. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { bubblewrapSandbox } from "../../src/adapters/sandboxes/bubblewrap.ts";
import { usualSandbox, type SandboxSettings } from "../../src/config-sandbox.ts";
import type { Agent } from "../../src/ports-agents.ts";
import type { Outcome } from "../../src/redteam/attack.ts";
import { layGround, type Ground } from "../../src/redteam/ground.ts";
import type { PlayName } from "../../src/redteam/plays.ts";
import { redteam } from "../../src/redteam/redteam.ts";
import { weaknesses } from "../../src/redteam/report.ts";
import { playedRules } from "../../src/redteam/repository-rules.ts";

const { found, why } = await bubblewrapSandbox({
  binary: "bwrap",
  searchPath: "/usr/local/bin:/usr/bin:/bin",
  secret: [],
  read: [],
}).probe();
const hasBubblewrap = found && why === undefined;
const closed: SandboxSettings = {
  ...usualSandbox,
  usual: "bubblewrap",
  commandNetwork: "none",
};

let folder: string;
let ground: Ground;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "redteam-"));
  ground = layGround(folder);
  vi.stubEnv("HOME", ground.home);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

async function play(
  only: PlayName,
  sandbox: SandboxSettings,
  recast?: (agent: Agent) => Agent,
): Promise<readonly Outcome[]> {
  const played = playedRules(undefined);
  if ("problems" in played) throw new Error("the defaults are right");
  const data = join(folder, "unused");
  const outcomes = await redteam({
    ground,
    ...played,
    environment: {
      github: undefined,
      database: join(data, "forgehand.db"),
      dataDir: data,
      host: "127.0.0.1",
      port: 0,
      logLevel: "silent",
      concurrency: 3,
      runtimes: { "claude-code": "claude", codex: "codex" },
      sandbox,
    },
    only: [only],
    recast,
    pid: process.pid,
  });
  return outcomes.filter(({ id }) => id.startsWith(`${only}/`));
}
const told = (outcomes: readonly Outcome[], is: Outcome["is"]): readonly string[] =>
  outcomes.filter((one) => one.is === is).map(({ id }) => id);

test("without a sandbox, what gets out is told as the operator's choice; what is promised anyway holds", async () => {
  const outcomes = await play("heads", usualSandbox);
  expect(outcomes.filter(({ is }) => is === "broken")).toEqual([]);
  // They were gullible: whatever they were meant to read they did follow.
  const reached = outcomes.filter((one) => one.reached === true).map(({ id }) => id);
  for (const path of ["README.md", "package.json", "Makefile", "src/app.ts", "docs/notes.md"])
    expect(reached).toContain(`heads/${path}`);
  const weak = outcomes.filter(({ is }) => is === "weak");
  expect(weak.map(({ id }) => id)).toContain("heads/README.md");
  expect(weak.map(({ id }) => id)).toContain("heads/leak/~/.git-credentials");
  for (const { fix } of weak) expect(fix).toContain("FORGEHAND_SANDBOX=bubblewrap");
  // The settings may hold the App's key, so they are among what is named to people.
  expect(weaknesses(outcomes)[0]?.examples.join("\n")).toContain("~/.config/forgehand/forgehand.env");
});

test.skipIf(!hasBubblewrap)(
  "an agent that is lent what it must not have is caught in all its ways out",
  async () => {
    const secret = ground.honey.find(({ place }) => place === "$NOBODY_THOUGHT_OF_IT")?.token ?? "";
    // As if forgehand had told it: the promise that nothing of ours is lent is broken on purpose.
    const lent = (agent: Agent): Agent => ({
      ...agent,
      work: async function* (order, signal) {
        for await (const said of agent.work(order, signal))
          yield said.type === "result" && said.outcome.is === "done"
            ? { ...said, outcome: { ...said.outcome, text: `${said.outcome.text} ${secret}` } }
            : said.type === "text"
              ? { ...said, text: `${said.text}\n${secret}` }
              : said;
      },
    });
    const outcomes = await play("heads", closed, lent);
    const broken = outcomes.filter(({ is }) => is === "broken");
    const ids = broken.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(["heads/README.md", "heads/leak/$NOBODY_THOUGHT_OF_IT"]));
    expect(broken.at(-1)?.why).toContain("requests to the forge");
    // Nothing else is: they held that one secret and no other, and worked under no settings of the head.
    expect(broken.filter(({ why }) => why?.includes("$NOBODY_THOUGHT_OF_IT") !== true)).toEqual([]);
    expect(told(outcomes, "weak")).toEqual([]);
    const reached = outcomes.filter((one) => one.reached === true).map(({ id }) => id);
    expect(reached).not.toContain("heads/.claude/settings.json");
  },
);
