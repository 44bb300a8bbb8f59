/** The four hooks of a repository: limited, ended whole, and told nothing of ours. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/adapters/clock.ts";
import { runHook } from "../../../src/adapters/git/hooks.ts";
import { localSandbox } from "../../../src/adapters/sandboxes/local.ts";
import { openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

let count = 0;
const prepared = (hooks = {}) =>
  stage.space.prepare(`t${(count += 1)}`, stage.remote, `hand/t${count}`, hooks);
/** Whether it still runs; one that ended and was not yet reaped does not. */
const isAlive = (pid: number) =>
  readFile(`/proc/${pid}/stat`, "utf8").then(
    (stat) => !/\) [ZX] /.test(stat),
    () => false,
  );

describe("a hook", () => {
  it.each(["after_create", "before_run"] as const)(
    "%s stops the work when it fails, with the end of what it said",
    async (kind) => {
      const tree = await prepared();
      await expect(
        stage.space.runHook(kind, "seq 1 2000; echo the reason >&2; exit 3", tree),
      ).rejects.toMatchObject({
        code: "hook-failed",
        permanent: true,
        message: expect.stringMatching(new RegExp(`^Hook ${kind} ended with 3: [^]{0,2000}the reason$`)),
      });
    },
  );

  it.each(["after_run", "before_remove"] as const)("%s is only reported when it fails", async (kind) => {
    const tree = await prepared();
    const { failed } = await stage.space.runHook(kind, "echo oops; exit 4", tree);
    expect(failed).toBe(`Hook ${kind} ended with 4: oops`);
    expect(stage.warnings).toContain(failed);
  });

  it("after_create runs once, in the worktree, and again when it had failed", async () => {
    const log = join(stage.home, "created");
    const order = ["once", stage.remote, "hand/once"] as const;
    const command = `test -f AGENTS.md && echo ran >> ${log} && test -f ${log}.ok`;
    await expect(stage.space.prepare(...order, { afterCreate: command })).rejects.toMatchObject({
      code: "hook-failed",
    });
    await writeFile(`${log}.ok`, "");
    await stage.space.prepare(...order, { afterCreate: command });
    await stage.space.prepare(...order, { afterCreate: command });
    expect(await readFile(log, "utf8")).toBe("ran\nran\n");
  });

  it("before_remove runs before the worktree goes, and does not keep it by failing", async () => {
    const log = join(stage.home, "removed");
    await stage.space.prepare("going", stage.remote, "hand/going", {});
    const beforeRemove = `cat AGENTS.md > ${log}; exit 1`;
    expect(await stage.space.drop("going", stage.remote, { beforeRemove })).toBe("dropped");
    expect(await readFile(log, "utf8")).toBe("base\n");
  });

  it("sees nothing of our environment, and keeps its own home out of the worktree", async () => {
    process.env["FORGEHAND_TEST_SECRET"] = "visible";
    const log = join(stage.home, "environment");
    const tree = await prepared();
    await stage.space.runHook("before_run", `env > ${log}; echo x > "$HOME/.cache-of-a-tool"`, tree);
    delete process.env["FORGEHAND_TEST_SECRET"];
    const names = (await readFile(log, "utf8"))
      .split("\n")
      .map((line) => line.split("=")[0] ?? "")
      .filter((name) => name !== "" && !["_", "OLDPWD", "SHLVL"].includes(name));
    expect(names.toSorted()).toEqual(["CI", "HOME", "LC_ALL", "PATH", "PWD", "RUN_ID", "TERM"]);
    expect(await stage.space.commit(tree, "Nothing")).toBeUndefined();
  });

  it.skipIf(process.platform !== "linux")(
    "that runs too long is ended with all its children, deaf and hidden ones too",
    async () => {
      const tree = await prepared();
      const pids = join(stage.home, "pids");
      const deaf = `trap '' TERM; echo $$ >> ${pids}; while :; do sleep 1; done`;
      const hidden = `(setsid sh -c "${deaf.replaceAll("$", "\\$")}" >/dev/null 2>&1 &) ; `;
      const space = await stage.reopen({ limits: { gitMs: 20_000, hookMs: 700 } });
      const { failed } = await space.runHook("after_run", `${hidden}${deaf}`, tree);
      expect(failed).toContain("ran longer than 700 ms");
      const found = (await readFile(pids, "utf8")).trim().split("\n").map(Number);
      expect(found).toHaveLength(2);
      await expect
        .poll(async () => (await Promise.all(found.map(isAlive))).includes(true), { timeout: 2000 })
        .toBe(false);
    },
  );

  it("has the time that its repository gives it, not only ours", async () => {
    const space = await stage.reopen({ limits: { gitMs: 20_000, hookMs: 300 } });
    const given = {
      afterCreate: "sleep 0.6",
      beforeRemove: "sleep 0.6; echo slow; exit 1",
      timeoutMs: 20_000,
    };
    await space.prepare("slow", stage.remote, "hand/slow", given);
    expect(await space.drop("slow", stage.remote, given)).toBe("dropped");
    expect(stage.warnings.at(-1)).toBe("Hook before_remove ended with 1: slow");
    const short = { ...given, timeoutMs: 200 };
    await expect(stage.space.prepare("short", stage.remote, "hand/short", short)).rejects.toMatchObject({
      code: "hook-failed",
      message: expect.stringContaining("ran longer than 200 ms"),
    });
    await stage.space.prepare("short", stage.remote, "hand/short", {});
    expect(await stage.space.drop("short", stage.remote, short)).toBe("dropped");
    expect(stage.warnings.at(-1)).toContain("before_remove ran longer than 200 ms");
  });

  it("ends when the work is stopped", async () => {
    const tree = await prepared();
    const stop = new AbortController();
    const running = stage.space.runHook("before_run", "sleep 60", tree, stop.signal);
    stop.abort(new Error("stopped by a person"));
    await expect(running).rejects.toThrow("stopped by a person");
  });

  it("is held to the limits of the place it runs in, and told which it passed", async () => {
    const tree = await prepared();
    const premises = { sandbox: localSandbox(), network: "open", limits: { diskMb: 4 } } as const;
    const place = { path: tree.path, home: stage.home, searchPath: "/usr/bin:/bin", timeoutMs: 60_000 };
    const command = "for i in 1 2 3 4 5 6 7 8 9; do head -c 1000000 /dev/urandom > large$i; done; sleep 60";
    const { failed } = await runHook("after_run", command, { ...place, premises, clock: systemClock() });
    expect(failed).toContain("it passed the limit of disk that this host sets");
  });
});
