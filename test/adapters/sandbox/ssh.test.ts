import {
  chmodSync,
  existsSync,
  lstatSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { basename, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/adapters/clock.ts";
import { openInput } from "../../../src/adapters/processes/process-input.ts";
import { processIds, runIdOf } from "../../../src/adapters/processes/process-table.ts";
import { sshSandbox } from "../../../src/adapters/sandboxes/ssh.ts";
import type { SshHost } from "../../../src/adapters/sandboxes/ssh-hosts.ts";
import { carryOut, openWorkshop, run, type Workshop } from "./stage.ts";
import { sshdBinary, startSshd, type SshServer } from "./sshd.ts";

describe.skipIf(sshdBinary === undefined)("agents on ssh hosts", () => {
  let server: SshServer;
  let shop: Workshop;
  beforeAll(async () => {
    server = await startSshd();
  });
  afterAll(() => server.close());
  beforeEach(() => {
    shop = openWorkshop({ "src/app.ts": "one\n", "docs/old.md": "old\n", "keep.txt": "kept\n" });
  });
  afterEach(() => shop.close());

  const host = (name: string, cap = 2): SshHost => ({
    ...server.host(name, cap),
    root: join(server.folder, "orders", basename(shop.folder), name),
  });
  const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: process.env["HOME"] ?? "/" };
  const sandboxOn = (hosts: readonly SshHost[], state = "state") =>
    sshSandbox({
      hosts,
      stateDir: join(shop.folder, state),
      binary: "ssh",
      env,
      configFile: server.configFile,
      clock: systemClock(),
      // A set of its own, as another process would have.
      live: new Set(),
    });
  const ordersOn = (host: SshHost): readonly string[] =>
    existsSync(host.root)
      ? readdirSync(host.root).flatMap((house) => readdirSync(join(host.root, house)))
      : [];

  test("an order runs there with its input, its output, its exit code and its mark", async () => {
    const order = shop.order('cat; echo "mark $RUN_ID" >&2; echo "at $PWD"; exit 7', {
      stdin: `look at ${shop.tree}/src\n`,
    });
    const { lines, end } = await carryOut(sandboxOn([host("one")]), order, shop.confinement());
    expect(end.exit).toBe(7);
    expect(end.stderr).toContain(`mark ${order.runId}`);
    expect(lines).toEqual([`look at ${shop.tree}/src`, `at ${shop.tree}`]);
  });

  test("what it changed comes home, deletions, links and modes too, and git stays here", async () => {
    const script = [
      "echo two > src/app.ts",
      "rm docs/old.md && rmdir docs",
      "mkdir -p new/deep && echo new > 'new/deep/a b.txt' && chmod 755 'new/deep/a b.txt'",
      "ln -s ../src/app.ts new/link",
      "ln keep.txt new/twin",
      "git log --format=%s; rm -rf .git",
    ].join(" && ");
    const before = statSync(join(shop.tree, "keep.txt")).ino;
    const { lines, end } = await carryOut(sandboxOn([host("one")]), shop.order(script), shop.confinement());
    expect([end.exit, end.stderr, lines]).toEqual([0, "", ["base"]]);
    const read = (path: string): string => readFileSync(join(shop.tree, path), "utf8");
    expect(read("src/app.ts")).toBe("two\n");
    expect(existsSync(join(shop.tree, "docs"))).toBe(false);
    expect(read("new/deep/a b.txt")).toBe("new\n");
    expect(statSync(join(shop.tree, "new/deep/a b.txt")).mode & 0o777).toBe(0o755);
    expect(readlinkSync(join(shop.tree, "new/link"))).toBe("../src/app.ts");
    expect(read("new/twin")).toBe("kept\n");
    expect(read(".git")).toBe("gitdir: /nowhere\n");
    expect(statSync(join(shop.tree, "keep.txt")).ino).toBe(before);
  });

  test("where nothing can confine it, it is told the paths there, and knows no home but the order's own", async () => {
    shop.write("no/bwrap", "#!/bin/sh\nexit 1\n");
    chmodSync(join(shop.folder, "no/bwrap"), 0o755);
    const bare = { ...host("one"), searchPath: join(shop.folder, "no") };
    const sandbox = sandboxOn([bare]);
    const order = shop.order('cat; echo "$PWD $1 $HOME $TREE"; echo two > "$TREE/src/app.ts"', {
      stdin: `look at ${shop.tree}/src, not at ${shop.tree}-other\n`,
      env: { HOME: "/home/nobody-here", TREE: shop.tree },
    });
    const { lines, end } = await carryOut(
      sandbox,
      { ...order, args: [...order.args, "sh", `--in=${shop.tree}/src`] },
      shop.confinement(),
    );
    const there = /^look at (.*)\/f0\/src, /u.exec(lines[0] ?? "")?.[1] ?? "nowhere";
    expect(end).toMatchObject({ exit: 0, stderr: "" });
    expect(there.startsWith(bare.root)).toBe(true);
    expect(lines).toEqual([
      `look at ${there}/f0/src, not at ${shop.tree}-other`,
      `${there}/f0 --in=${there}/f0/src ${there}/home ${there}/f0`,
    ]);
    expect(readFileSync(join(shop.tree, "src/app.ts"), "utf8")).toBe("two\n");
    const { found, version, why } = await sandbox.probe();
    expect([found, version, why]).toEqual([
      true,
      expect.stringContaining("one has no bubblewrap"),
      undefined,
    ]);
    const talked = sandbox.enter(shop.order("cat", { input: openInput() }), shop.confinement());
    await expect(talked).rejects.toMatchObject({
      permanent: true,
      message: expect.stringContaining("in a conversation"),
    });
    expect(ordersOn(bare)).toEqual([]);
    const closed = sandbox.enter(shop.order("true"), shop.confinement({ network: "none" }));
    await expect(closed).rejects.toMatchObject({
      permanent: true,
      message: expect.stringContaining("apt-get install bubblewrap"),
    });
    const spoken = sandbox.enter(shop.order("true", { input: openInput() }), shop.confinement());
    await expect(spoken).rejects.toMatchObject({
      permanent: true,
      message: expect.stringContaining("apt-get install bubblewrap"),
    });
    expect(ordersOn(bare)).toEqual([]);
  });

  test("modes and links go there as well", async () => {
    chmodSync(join(shop.tree, "keep.txt"), 0o750);
    symlinkSync("keep.txt", join(shop.tree, "link"));
    const { lines } = await carryOut(
      sandboxOn([host("one")]),
      shop.order("stat -c %a keep.txt; readlink link; ls -A"),
      shop.confinement(),
    );
    expect(lines.slice(0, 2)).toEqual(["750", "keep.txt"]);
    expect(lastTimeOf(lines)).not.toContain("state");
  });

  test("a folder that may only be read does not come home changed", async () => {
    shop.write("login/key.json", "secret\n");
    const login = join(shop.folder, "login");
    const script = 'cat "$1/key.json"; echo stolen > "$1/key.json"; echo "$LOGIN"';
    const { lines } = await carryOut(
      sandboxOn([host("one")]),
      shop.order("", { args: ["-c", script, "sh", login], env: { LOGIN: `${login}/key.json` } }),
      shop.confinement({ read: [login] }),
    );
    expect(lines).toEqual(["secret", join(login, "key.json")]);
    expect(readFileSync(join(login, "key.json"), "utf8")).toBe("secret\n");
  });

  test("no value of the environment stands in a command line, here or there, and none is left behind", async () => {
    const one = host("one");
    const secret = 'sk-dummy-it\'s "quoted"\nand long';
    const sandbox = sandboxOn([one]);
    const entered = await sandbox.enter(
      shop.order('printf %s "$API_KEY"; echo; tr "\\0" " " < /proc/self/cmdline; ls ../ ..', {
        env: { API_KEY: secret },
      }),
      shop.confinement(),
    );
    expect(JSON.stringify([entered.order.args, entered.order.env])).not.toContain("sk-dummy");
    const { lines } = await run(entered.order);
    expect(lines.slice(0, 2).join("\n")).toBe(secret);
    expect(lines.slice(2).join("\n")).not.toContain("order.sh");
    await entered.leave();
    expect(ordersOn(one)).toEqual([]);
  });

  test("children that ignore SIGTERM, leave their group or hold stdout are gone after leaving", async () => {
    const order = shop.order(
      `trap "" TERM; (trap "" TERM; setsid sh -c 'sleep 600' & ) ; setsid sh -c 'cd /; exec sleep 600' & echo ready; sleep 600`,
    );
    const sandbox = sandboxOn([host("one")]);
    const entered = await sandbox.enter(order, shop.confinement());
    const stop = new AbortController();
    const running = run(entered.order, stop.signal);
    await there(() => marked(order.runId).length > 3);
    stop.abort();
    expect((await running).end.stopped).toBe("aborted");
    await entered.leave();
    await entered.leave();
    expect(marked(order.runId)).toEqual([]);
  });

  test("on leaving, the agent hears SIGTERM before anything is killed", async () => {
    const order = shop.order(
      `trap 'echo heard > heard; exit 7' TERM; echo ready; while :; do sleep 0.1; done`,
    );
    const entered = await sandboxOn([host("one")]).enter(order, shop.confinement());
    const running = run({ ...entered.order, runId: `the connection of ${order.runId}`, place: "shared" });
    await there(() => marked(order.runId).length > 3);
    await entered.leave();
    expect((await running).lines).toEqual(["ready"]);
    expect(readFileSync(join(shop.tree, "heard"), "utf8")).toBe("heard\n");
  });

  test("a start that comes second does nothing, also after the end", async () => {
    const sandbox = sandboxOn([host("one")]);
    const order = shop.order("echo ran >> count; sleep 600");
    const entered = await sandbox.enter(order, shop.confinement());
    const stop = new AbortController();
    const first = run(entered.order, stop.signal);
    await there(() => marked(order.runId).length > 1);
    const second = await run({ ...entered.order, runId: `second of ${order.runId}` });
    expect([second.end.exit, second.end.stderr]).toEqual([97, expect.stringContaining("not started again")]);
    stop.abort();
    await first;
    await entered.leave();
    expect((await run({ ...entered.order, runId: `third of ${order.runId}` })).end.exit).toBe(97);
    expect(readFileSync(join(shop.tree, "count"), "utf8")).toBe("ran\n");
  });

  test("a lost connection starts nothing anywhere until the host can be asked, and then work comes home first", async () => {
    const [one, two] = [host("one"), host("two")];
    const sandbox = sandboxOn([one, two]);
    const order = shop.order("echo half > half.txt; sleep 600");
    const entered = await sandbox.enter(order, shop.confinement());
    // Here and there are one machine: our own end would reach over, by the mark and by the folder.
    const running = run({ ...entered.order, runId: `the connection of ${order.runId}`, place: "shared" });
    await there(() => marked(order.runId).length > 1);
    server.shut();
    try {
      expect((await running).end.exit).toBe(255);
      await expect(entered.leave()).rejects.toMatchObject({
        code: "sandbox-unreachable",
        retryAt: expect.any(Number),
        message: expect.stringContaining("nothing is started in its stead"),
      });
      await expect(sandbox.enter(shop.order("true"), shop.confinement())).rejects.toMatchObject({
        code: "sandbox-unreachable",
      });
      expect(marked(order.runId).length).toBeGreaterThan(0);
    } finally {
      server.open();
    }
    const { lines } = await carryOut(sandbox, shop.order("cat half.txt"), shop.confinement());
    expect(lines).toEqual(["half"]);
    expect(marked(order.runId)).toEqual([]);
    expect([...ordersOn(one), ...ordersOn(two)]).toEqual([]);
  });

  test("a full host is not given more, the next one is, and a full pool waits", async () => {
    const [one, two] = [host("one", 1), host("two", 1)];
    const sandbox = sandboxOn([one, two]);
    const other = openWorkshop();
    const third = openWorkshop();
    try {
      const first = await sandbox.enter(shop.order("true"), shop.confinement());
      const second = await sandbox.enter(other.order("true"), other.confinement());
      expect([ordersOn(one).length, ordersOn(two).length]).toEqual([1, 1]);
      await expect(sandbox.enter(third.order("true"), third.confinement())).rejects.toMatchObject({
        code: "sandbox-full",
        retryAt: expect.any(Number),
      });
      await second.leave();
      const again = await sandbox.enter(third.order("true"), third.confinement());
      await again.leave();
      await first.leave();
    } finally {
      other.close();
      third.close();
    }
  });

  test("a worktree goes to the host it was on before", async () => {
    const [one, two] = [host("one"), host("two")];
    const sandbox = sandboxOn([one, two]);
    const other = openWorkshop();
    const [busy, mine] = [
      await sandbox.enter(other.order("true"), other.confinement()),
      await sandbox.enter(shop.order("true"), shop.confinement()),
    ];
    expect(ordersOn(two).length).toBe(1);
    await mine.leave();
    await busy.leave();
    const again = await sandbox.enter(shop.order("true"), shop.confinement());
    expect([ordersOn(one).length, ordersOn(two).length]).toEqual([0, 1]);
    await again.leave();
    other.close();
  });

  test("a path of this host that leads out of the worktree is not followed on the way back", async () => {
    const outside = join(shop.folder, "outside");
    shop.write("outside/file", "mine\n");
    await carryOut(
      sandboxOn([host("one")]),
      shop.order(`rm -r src && ln -s ${outside} src && echo theirs > keep.txt`),
      shop.confinement(),
    );
    expect(lstatSync(join(shop.tree, "src")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(outside, "file"), "utf8")).toBe("mine\n");
    expect(readFileSync(join(shop.tree, "keep.txt"), "utf8")).toBe("theirs\n");
  });

  test("no host that can be reached: it says which, why and what to try", async () => {
    server.shut();
    try {
      const sandbox = sandboxOn([host("one"), host("two")]);
      await expect(sandbox.enter(shop.order("true"), shop.confinement())).rejects.toMatchObject({
        code: "sandbox-unreachable",
        message: expect.stringContaining("try `ssh"),
      });
      const { found, why } = await sandbox.probe();
      expect(found).toBe(false);
      expect(why).toContain("one cannot be reached");
    } finally {
      server.open();
    }
    const { found, version } = await sandboxOn([host("one")]).probe();
    expect([found, version]).toEqual([true, expect.stringMatching(/^\d/u)]);
  });

  test("what a crash leaves behind is ended and brought home before anything new begins", async () => {
    const one = host("one");
    const order = shop.order("echo half > half.txt; sleep 600");
    const crashed = await sandboxOn([one]).enter(order, shop.confinement());
    const running = run({ ...crashed.order, runId: `the connection of ${order.runId}`, place: "shared" });
    await there(() => marked(order.runId).length > 1);
    const { lines } = await carryOut(sandboxOn([one]), shop.order("cat half.txt"), shop.confinement());
    expect(lines).toEqual(["half"]);
    await running;
    expect(marked(order.runId)).toEqual([]);
    expect(ordersOn(one)).toEqual([]);
    await crashed.leave();
  });

  test("what a crash leaves behind holds no room once somebody else needs it", async () => {
    const one = host("one", 1);
    const other = openWorkshop();
    await sandboxOn([one]).enter(shop.order("true"), shop.confinement());
    const entered = await sandboxOn([one]).enter(other.order("true"), other.confinement());
    expect(ordersOn(one)).toHaveLength(1);
    await entered.leave();
    other.close();
  });

  test("a host taken out of the configuration while it cannot be reached is given up", async () => {
    await sandboxOn([host("one")]).enter(shop.order("true"), shop.confinement());
    server.shut();
    try {
      await expect(
        sandboxOn([host("one")]).enter(shop.order("true"), shop.confinement()),
      ).rejects.toMatchObject({ message: expect.stringContaining("take it out of FORGEHAND_SSH_HOSTS") });
    } finally {
      server.open();
    }
    const elsewhere = { ...host("two") };
    const gone = sandboxOn([elsewhere]);
    server.shut();
    try {
      await expect(gone.enter(shop.order("true"), shop.confinement())).rejects.toMatchObject({
        message: expect.stringMatching(/^two cannot be reached/u),
      });
    } finally {
      server.open();
    }
    const { end } = await carryOut(gone, shop.order("true"), shop.confinement());
    expect(end.exit).toBe(0);
  });
});

const lastTimeOf = (lines: readonly string[]): readonly string[] => lines.slice(2);

const marked = (runId: string): readonly number[] => processIds().filter((pid) => runIdOf(pid) === runId);

/** Waits for a fact. */
async function there(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}
