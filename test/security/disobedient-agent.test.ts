/** An agent that keeps to no rule: it commits, switches branches, deletes `.git`, writes elsewhere, fills the disk. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { bubblewrapSandbox } from "../../src/adapters/sandboxes/bubblewrap.ts";
import { usualSandbox, type SandboxSettings } from "../../src/config-sandbox.ts";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const { found, why } = await bubblewrapSandbox({
  binary: "bwrap",
  searchPath: "/usr/local/bin:/usr/bin:/bin",
  secret: [],
  read: [],
}).probe();
const sandboxes: Readonly<Record<string, SandboxSettings>> = {
  local: usualSandbox,
  bubblewrap: { ...usualSandbox, usual: "bubblewrap", network: "none" },
};

const written = { write: { path: "src/done.txt", text: "done\n" } };
const play = async (sandbox: SandboxSettings, ...commands: readonly string[]): Promise<number> => {
  world = await openWorld({
    sandbox,
    scenes: [
      {
        role: "build",
        steps: [usage, written, ...commands.map((run) => ({ run })), { done: "wrote src/done.txt" }],
      },
    ],
  });
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  world.people.label(issue, "agent-ready", "bob");
  await world.until("it was delivered or given up", async () =>
    ["In Review", "Blocked"].includes((await world.stateOf(issue)) ?? ""),
  );
  await world.settled();
  return issue;
};
const own = (): readonly string[] => [...world.repo.branches.keys()].filter((name) => name !== "main");
const as = "git -c user.name=eve -c user.email=eve@example.test";

describe.each(Object.entries(sandboxes))("in %s", (name, sandbox) => {
  const skipped = name === "bubblewrap" && (!found || why !== undefined);

  test.skipIf(skipped)("what it commits by itself is never published in its name", async () => {
    await play(
      sandbox,
      `echo hidden > src/hidden.txt; ${as} add -A; ${as} commit -qm "I did it myself"; echo more > src/more.txt`,
    );
    const log = JSON.stringify(await Promise.all(own().map((branch) => world.people.mergeLog(branch))));
    expect(log).not.toContain("I did it myself");
    expect(log).not.toContain("eve@example.test");
  });

  test.skipIf(skipped)("a branch it switches to is neither built on nor pushed", async () => {
    await play(sandbox, `${as} switch -c elsewhere; ${as} branch -f main HEAD; ${as} tag v9`);
    expect(own().filter((branch) => branch.includes("elsewhere"))).toEqual([]);
    for (const branch of own()) expect(await world.people.file(branch, "src/done.txt")).toBe("done\n");
    await expect(world.people.file("main", "src/done.txt")).rejects.toThrow(/does not exist/u);
  });

  test.skipIf(skipped)("a .git of its own making is never published from", async () => {
    const issue = await play(
      sandbox,
      `rm -rf .git; mkdir .git; git init -q .; git config core.hooksPath /tmp; true`,
    );
    const said = world.people.thread(issue).comments.map(({ body }) => body);
    // In a sandbox it could not be deleted; without one nothing is published from it, and a person is told.
    if (name === "bubblewrap") expect(await world.stateOf(issue)).toBe("In Review");
    else expect(said.join("\n")).toMatch(/I stopped: .*\.git file in .* no longer points at its repository/u);
    expect(await Promise.all(own().map((branch) => world.people.file(branch, "src/done.txt")))).toEqual(
      name === "bubblewrap" ? ["done\n"] : [],
    );
  });

  test.skipIf(skipped)("who fills the disk is stopped, and people are told which limit it was", async () => {
    const issue = await play(
      { ...sandbox, limits: { diskMb: 16 } },
      `i=0; while [ $i -lt 200 ]; do i=$((i+1)); head -c 1000000 /dev/urandom > fill$i; sleep 0.05; done; sleep 20`,
    );
    expect(await world.stateOf(issue)).toBe("Blocked");
    const said = world.people
      .thread(issue)
      .comments.map(({ body }) => body)
      .join("\n");
    expect(said).toContain("FORGEHAND_AGENT_DISK_MB");
    expect(own()).toEqual([]);
  });
});

test.skipIf(!found || why !== undefined)(
  "in bubblewrap nothing is written outside the worktree",
  async () => {
    const sandbox = sandboxes["bubblewrap"] ?? usualSandbox;
    world = await openWorld({ sandbox });
    const places = [join(world.dir, "data", "evil"), join(world.dir, "evil"), "/usr/evil", "/etc/evil"];
    const mirrors = join(world.dir, "data", "workspaces", "mirrors");
    mkdirSync(mirrors, { recursive: true });
    const hook = `for d in ${mirrors}/*; do echo 'echo pwned' > $d/hooks/post-commit; echo x >> $d/config; done`;
    world.scenes([
      {
        role: "build",
        steps: [
          usage,
          written,
          { run: places.map((path) => `echo evil > ${path}`).join("; ") },
          { run: hook },
          { run: `ln -s ${world.dir}/data src/data; echo evil > src/data/evil; rm src/data` },
          { done: "wrote it" },
        ],
      },
    ]);
    writeFileSync(join(world.dir, "data", "kept"), "as it was");
    const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
    world.people.label(issue, "agent-ready", "bob");
    await world.untilState(issue, "In Review");
    await world.settled();
    expect(places.filter((path) => existsSync(path))).toEqual([]);
  },
);

test("a finding about a file outside the worktree opens none", async () => {
  const finding = {
    title: "look there",
    body: "The password is wrong.",
    grade: "polish",
    path: "../../../../../../etc/passwd",
    line: 1,
    kind: "correctness",
  };
  world = await openWorld({
    scenes: [
      { role: "build", steps: [usage, written, { done: "wrote it" }] },
      {
        role: "review",
        steps: [usage, { answer: { verdict: "pass", summary: "fine", findings: [finding] } }],
      },
    ],
  });
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  world.people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  expect(JSON.stringify(world.hub.state.calls)).not.toContain("root:x:0");
});
