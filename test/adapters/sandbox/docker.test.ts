import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/adapters/clock.ts";
import { runCommand } from "../../../src/adapters/processes/command.ts";
import { runHook } from "../../../src/adapters/git/hooks.ts";
import { dockerSandbox, type DockerOptions } from "../../../src/adapters/sandboxes/docker.ts";
import { carryOut, openWorkshop, run, type Workshop } from "./stage.ts";

describe("agents in containers, as the docker client is told", () => {
  let shop: Workshop;
  let state: string;
  beforeEach(() => {
    shop = openWorkshop();
    state = join(shop.folder, "engine");
    mkdirSync(join(state, "bin"), { recursive: true });
    copyFileSync(join(import.meta.dirname, "docker-stand-in.mjs"), join(state, "bin", "docker"));
    chmodSync(join(state, "bin", "docker"), 0o755);
  });
  afterEach(() => shop.close());

  const engine = (more: Partial<DockerOptions> = {}) =>
    dockerSandbox({
      binary: "docker",
      env: {
        PATH: `${join(state, "bin")}:${dirname(process.execPath)}:/usr/bin:/bin`,
        HOME: shop.folder,
        DOCKER_STAND_IN: state,
      },
      image: "agents:1",
      runtime: undefined,
      user: "1234:1234",
      clock: systemClock(),
      // A set of its own, as another process would have.
      live: new Set(),
      ...more,
    });
  const calls = (): readonly { readonly argv: readonly string[]; readonly env: readonly string[] }[] =>
    readFileSync(join(state, "calls"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  /** Containers at work. */
  const up = (): number =>
    existsSync(join(state, "containers")) ? readdirSync(join(state, "containers")).length : 0;

  test("it gets nothing it does not need", async () => {
    const login = join(shop.folder, "log,in");
    shop.write("log,in/key.json", "{}");
    const socket = join(shop.folder, "model");
    const order = shop.order("cat", {
      stdin: "said\n",
      env: { PATH: "/ours", HOME: join(shop.tree, "home"), API_KEY: "sk-dummy" },
      runId: "house/github:7#42/build-1",
    });
    const limits = { memoryMb: 512, cpus: 1.5, processes: 100, diskMb: 10 };
    const within = shop.confinement({
      read: [login],
      network: "model",
      model: { socket, port: 4180 },
      limits,
    });
    const { order: inside, leave } = await engine({ runtime: "runsc" }).enter(order, within);
    await leave();
    const name = inside.args[inside.args.indexOf("--name") + 1] ?? "";
    expect(name).toMatch(/^forgehand-[0-9a-f]{24}$/u);
    const bridge = realpathSync("src/adapters/sandboxes/model-bridge.mjs");
    const labels = inside.args.flatMap((one, at) => (inside.args[at - 1] === "--label" ? [one] : []));
    expect(labels.slice(0, 3)).toEqual([
      "forgehand.run=house/github:7#42/build-1",
      `forgehand.cwd=${shop.tree}`,
      `forgehand.order=${name.slice("forgehand-".length)}`,
    ]);
    const withoutLabels = inside.args.filter(
      (one, at) => one !== "--label" && inside.args[at - 1] !== "--label",
    );
    expect(withoutLabels).toEqual([
      "run",
      "--rm",
      "--init",
      "--interactive",
      "--pull",
      "never",
      "--name",
      name,
      "--runtime",
      "runsc",
      "--user",
      "1234:1234",
      "--workdir",
      shop.tree,
      "--hostname",
      "forgehand",
      "--read-only",
      "--cap-drop",
      "ALL",
      "--security-opt",
      "no-new-privileges",
      "--log-driver",
      "none",
      "--network",
      "none",
      "--memory",
      "512m",
      "--memory-swap",
      "512m",
      "--cpus",
      "1.5",
      "--pids-limit",
      "100",
      "--ulimit",
      "fsize=10485760",
      "--tmpfs",
      "/tmp:rw,exec,nosuid,nodev,mode=1777,size=512m",
      "--mount",
      `type=bind,"source=${login}","target=${login}",readonly`,
      "--mount",
      `type=bind,source=${shop.tree},target=${shop.tree}`,
      "--mount",
      `type=bind,source=${bridge},target=/run/forgehand/model-bridge.mjs,readonly`,
      "--mount",
      `type=bind,source=${socket},target=/run/forgehand/model.sock,readonly`,
      "--env",
      `HOME=${shop.tree}/home`,
      "--env",
      "API_KEY",
      "--env",
      "RUN_ID",
      "--entrypoint",
      "node",
      "agents:1",
      "/run/forgehand/model-bridge.mjs",
      "/run/forgehand/model.sock",
      "4180",
      "sh",
      "-c",
      "cat",
    ]);
    expect(JSON.stringify(inside.args)).not.toContain("sk-dummy");
    expect(inside.env["API_KEY"]).toBe("sk-dummy");
    expect(inside.env["PATH"]).not.toBe("/ours");
  });

  test("with the network open it has one, and without limits none", async () => {
    const { order, leave } = await engine().enter(shop.order("true"), shop.confinement());
    await leave();
    expect(order.args[order.args.indexOf("--network") + 1]).toBe("bridge");
    for (const flag of ["--memory", "--cpus", "--pids-limit", "--ulimit", "--runtime"])
      expect(order.args).not.toContain(flag);
  });

  test("the repository is seen read-only, and its configuration not at all", async () => {
    rmSync(join(shop.tree, ".git"));
    execFileSync("git", ["init", "-q", shop.tree]);
    writeFileSync(join(shop.tree, ".git/config"), "[http]\n\textraHeader = token\n");
    const { order, leave } = await engine().enter(shop.order("true"), shop.confinement());
    await leave();
    const git = join(shop.tree, ".git");
    expect(order.args).toContain(`${git}:rw,exec,nosuid,nodev,mode=1777,size=1m`);
    expect(order.args).toContain(`type=bind,source=${git}/objects,target=${git}/objects,readonly`);
    expect(order.args).toContain(`type=bind,source=/dev/null,target=${git}/config,readonly`);
  });

  test("it runs with its input, its output, its exit code and its mark", async () => {
    const order = shop.order('cat; echo "$RUN_ID $API_KEY"; echo oh >&2; exit 3', {
      stdin: "first\n",
      env: { API_KEY: "sk-dummy\nin two lines" },
    });
    const { lines, end } = await carryOut(engine(), order, shop.confinement());
    expect(lines).toEqual(["first", `${order.runId} sk-dummy`, "in two lines"]);
    expect([end.exit, end.stderr]).toEqual([3, "oh\n"]);
    expect(
      calls()
        .flatMap(({ argv }) => argv)
        .join(" "),
    ).not.toContain("sk-dummy");
  });

  test("a repository's commands and hooks carry their mark, the client and the container", async () => {
    const premises = { sandbox: engine(), network: "open", limits: {} } as const;
    const place = { searchPath: "/usr/bin:/bin", home: shop.folder, premises };
    const command = 'tr "\\0" "\\n" < /proc/$PPID/environ | grep ^RUN_ID=; echo "$RUN_ID"; false';
    const order = { command, cwd: shop.tree, timeoutMs: 30_000 };
    const nobody = new AbortController().signal;
    const ran = await runCommand({ ...order, runId: "house/run" }, place, nobody);
    expect(ran).toMatchObject({ exit: 1, tail: "RUN_ID=house/run\nhouse/run\n" });
    const hook = await runHook("after_run", command, { ...place, path: shop.tree, timeoutMs: 30_000 });
    const mark = `hook-after_run-${shop.tree}`;
    expect(hook.failed).toBe(`Hook after_run ended with 1: RUN_ID=${mark}\n${mark}`);
  });

  test("leaving ends what still runs, twice is fine, and no second start is let through", async () => {
    const order = shop.order('trap "" TERM; echo up; sleep 600; sleep 600');
    const { order: inside, leave } = await engine().enter(order, shop.confinement());
    const running = run({ ...inside, runId: `the client of ${order.runId}`, place: "shared" });
    while (up() === 0) await pause();
    expect((await run({ ...inside, runId: `a second of ${order.runId}` })).end.exit).toBe(125);
    await leave();
    expect((await running).end.exit).toBe(137);
    expect(up()).toBe(0);
    await leave();
  });

  test("what a crash left behind under the same mark is ended before the order begins anew", async () => {
    const order = shop.order("echo ran; sleep 600");
    const crashed = await engine().enter(order, shop.confinement());
    const running = run({ ...crashed.order, runId: `the client of ${order.runId}`, place: "shared" });
    while (up() === 0) await pause();
    const { order: again, leave } = await engine().enter(
      { ...order, args: ["-c", "echo anew"] },
      shop.confinement(),
    );
    expect((await running).end.exit).toBe(137);
    expect((await run(again)).lines).toEqual(["anew"]);
    await leave();
  });

  test("an order beside it in the same run is left alone", async () => {
    const sandbox = engine();
    const order = shop.order("echo one; sleep 600");
    const first = await sandbox.enter(order, shop.confinement());
    const stop = new AbortController();
    const running = run(
      { ...first.order, runId: `the client of ${order.runId}`, place: "shared" },
      stop.signal,
    );
    while (up() === 0) await pause();
    const second = await sandbox.enter({ ...order, args: ["-c", "echo two"] }, shop.confinement());
    expect(
      (await run({ ...second.order, runId: `another client of ${order.runId}`, place: "shared" })).lines,
    ).toEqual(["two"]);
    await second.leave();
    expect(calls().some(({ argv }) => argv[0] === "rm")).toBe(false);
    stop.abort();
    await running;
    await first.leave();
  });

  test("what is missing is said with what to type", async () => {
    expect(await engine().probe()).toEqual({ found: true, version: "28.2.2", why: undefined });
    expect((await engine({ image: "other:2" }).probe()).why).toContain("docker pull other:2");
    expect((await engine({ runtime: "kata" }).probe()).why).toContain("has no runtime kata");
    expect((await engine({ runtime: "runsc" }).probe()).why).toBe(undefined);
    expect(await engine({ binary: "no-docker-here" }).probe()).toMatchObject({
      found: false,
      why: expect.stringContaining("apt-get install docker.io"),
    });
    writeFileSync(join(state, "down"), "");
    expect((await engine().probe()).why).toContain("systemctl start docker");
    await expect(engine().enter(shop.order("true"), shop.confinement())).rejects.toMatchObject({
      code: "sandbox-failed",
      retryAt: expect.any(Number),
    });
  });
});

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
