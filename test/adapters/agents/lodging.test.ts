/** A home for each run: the login it needs and nothing else of the operator's; sessions outlive it. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { claudeCode } from "../../../src/adapters/agents/claude-code.ts";
import { systemClock } from "../../../src/adapters/clock.ts";
import { codex } from "../../../src/adapters/agents/codex.ts";
import { localSandbox } from "../../../src/adapters/sandboxes/local.ts";
import type { ResourceLimits, Sandbox } from "../../../src/adapters/sandboxes/sandbox.ts";
import { Trouble } from "../../../src/ports.ts";
import type { Agent, WorkOrder } from "../../../src/ports-agents.ts";
import { readSample } from "./samples.ts";
import { orderIn, sessionIn, usages, work as turn } from "./turns.ts";

const clock = systemClock();
let folder: string;
const at = (path: string): string => join(folder, path);
const put = (path: string, text: string): void => {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
};
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "lodging-")));
  for (const path of ["tree", "operator", "state"]) mkdirSync(at(path));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sampleOf = { "claude-code": "claude-edit", codex: "codex-edit" } as const;
type Name = keyof typeof sampleOf;
const both: readonly Name[] = ["claude-code", "codex"];
const sessionsIn = { "claude-code": ".claude/projects", codex: ".codex/sessions" } as const;

/** A stand-in that runs a script where the runtime would run, then says what a real one said. */
function runtime(
  name: Name,
  script: string,
  own: Record<string, string> = {},
  limits: ResourceLimits = {},
  sandbox = localSandbox(),
): Agent {
  put("said", readSample(sampleOf[name]).lines.join("\n"));
  put("runtime", `#!/bin/sh\ncat > /dev/null\n${script}\ncat ${at("said")}; echo\n`);
  chmodSync(at("runtime"), 0o755);
  const common = {
    binary: at("runtime"),
    host: { home: at("operator"), searchPath: "/usr/bin:/bin", tmp: tmpdir(), own },
    stateDir: at("state"),
    clock,
    quarters: { sandbox, network: "open", limits, root: at("lodgings") },
  } as const;
  return name === "codex" ? codex({ ...common, codexHome: at("operator/.codex") }) : claudeCode(common);
}
const work = (agent: Agent, change: Partial<WorkOrder> = {}) => turn(agent, orderIn(at("tree"), change));
const runsLeft = (): readonly string[] =>
  readdirSync(at("lodgings"), { recursive: true, encoding: "utf8" }).filter((path) => path.includes("run-"));

describe.each(both)("%s", (name) => {
  test("its home holds its own login and nothing else of the operator's, and is gone afterwards", async () => {
    put(
      "operator/.claude/.credentials.json",
      `{"claudeAiOauth":{"accessToken":"short","refreshToken":"honey"}}`,
    );
    put(
      "operator/.codex/auth.json",
      `{"OPENAI_API_KEY":null,"tokens":{"access_token":"short","refresh_token":"honey"}}`,
    );
    put(
      "operator/.codex/config.toml",
      `model = "gpt-5.5"\nnotify = ["honey"]\n[mcp_servers.x]\ncommand = "honey"\n`,
    );
    for (const path of [".ssh/id_rsa", ".git-credentials", ".npmrc", ".claude/settings.json", ".claude.json"])
      put(`operator/${path}`, "honey");
    const { outcome } = await work(
      runtime(
        name,
        `echo "$HOME" > home; find "$HOME" -type f -exec grep -H . {} + > files; stat -c %a "$HOME" > mode`,
      ),
    );
    expect(outcome.is).toBe("done");
    const files = readFileSync(at("tree/files"), "utf8");
    expect(files).not.toContain("honey");
    expect(files).toContain("short");
    expect(readFileSync(at("tree/mode"), "utf8").trim()).toBe("700");
    expect(existsSync(readFileSync(at("tree/home"), "utf8").trim())).toBe(false);
    expect(runsLeft()).toEqual([]);
  });

  test("what a session keeps is there when it goes on, and no other session sees it", async () => {
    const keeps = `mkdir -p "$HOME/${sessionsIn[name]}/a"; ls "$HOME/${sessionsIn[name]}/a" > found; echo mine > "$HOME/${sessionsIn[name]}/a/session"; echo gone > "$HOME/other"; ls "$HOME" >> found`;
    const agent = runtime(name, keeps);
    const session = sessionIn((await work(agent)).says);
    expect(readFileSync(at("tree/found"), "utf8")).not.toContain("session");
    await work(agent, { resume: session });
    const found = readFileSync(at("tree/found"), "utf8");
    expect(found).toContain("session");
    expect(found.match(/other/gu)).toHaveLength(1);
    await work(agent);
    expect(readFileSync(at("tree/found"), "utf8")).not.toContain("session\n");
  });

  test("what a crash left of a run is gone at the next, a living one's stays", async () => {
    const agent = runtime(name, "true");
    const session = sessionIn((await work(agent)).says);
    const [id = ""] = readdirSync(at(`lodgings/${name}`)).filter((one) => one !== "by-session");
    const living = `run-${process.pid}-${readFileSync("/proc/self/stat", "utf8").split(" ")[21]}-ab`;
    put(`lodgings/${name}/${id}/run-999999999-1-ab/home/.claude/.credentials.json`, "honey");
    put(`lodgings/${name}/${id}/${living}/home/x`, "at work");
    await work(agent, { resume: session });
    expect(runsLeft().filter((path) => path.includes("999999999"))).toEqual([]);
    expect(runsLeft().filter((path) => path.includes(living))).not.toEqual([]);
  });

  test("a session nobody went on with for long is forgotten, with its pointer", async () => {
    const agent = runtime(name, "true");
    await work(agent);
    const ids = (): readonly string[] =>
      readdirSync(at(`lodgings/${name}`)).filter((one) => one !== "by-session");
    const [old = ""] = ids();
    utimesSync(at(`lodgings/${name}/${old}`), 1, 1);
    put(
      "said",
      readSample(sampleOf[name])
        .lines.join("\n")
        .replaceAll(/[0-9a-f]{8}-/gu, "abcdef01-"),
    );
    await work(agent);
    expect(ids()).not.toContain(old);
    expect(readdirSync(at(`lodgings/${name}/by-session`))).toHaveLength(1);
  });

  test("a home that an agent closed to us is removed all the same", async () => {
    await work(runtime(name, `mkdir -p "$HOME/a/b"; touch "$HOME/a/b/c"; chmod 000 "$HOME/a/b" "$HOME/a"`));
    expect(runsLeft()).toEqual([]);
  });

  test("a place that cannot be made is a failure with its reason, and nothing runs", async () => {
    writeFileSync(at("lodgings"), "a file where the folder belongs");
    const { outcome } = await work(runtime(name, "touch ran"));
    expect(outcome).toMatchObject({ is: "failed", how: "retry", code: "lodging" });
    expect(existsSync(at("tree/ran"))).toBe(false);
  });
});

test("what was used is charged although the place could not be left", async () => {
  const sandbox: Sandbox = {
    name: "ssh",
    enter: async (order) => ({
      order,
      leave: () => Promise.reject(new Trouble("worktree-stranded", "the host is gone")),
    }),
    probe: async () => ({ found: true, version: "1", why: undefined }),
  };
  const agent = runtime("claude-code", "", {}, {}, sandbox);
  const { lines } = readSample("claude-edit");
  put("said", lines.filter((line) => !line.includes('"type":"result"')).join("\n"));
  const { says, outcome } = await work(agent);
  expect(outcome).toMatchObject({ code: "worktree-stranded" });
  expect(usages(says)).not.toEqual([]);
});

test("a configuration of Codex that is no TOML blocks with its place", async () => {
  put("operator/.codex/config.toml", "model = \n");
  expect((await work(runtime("codex", "true"))).outcome).toMatchObject({
    is: "failed",
    how: "blocked",
    why: expect.stringContaining("config.toml"),
  });
});

test("who uses more than allowed is ended, with the setting to raise", async () => {
  const script = `i=0; while [ $i -lt 60 ]; do i=$((i+1)); sleep 60 & done; wait`;
  expect((await work(runtime("claude-code", script, {}, { processes: 30 }))).outcome).toMatchObject({
    is: "failed",
    how: "give-up",
    code: "processes-limit",
    why: expect.stringContaining("FORGEHAND_AGENT_PROCESSES"),
  });
});
