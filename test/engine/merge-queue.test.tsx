import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mergedBy, MergeQueue, workflow, MergeQueueOutput, type MergeTest } from "#engine";
import { z } from "zod";
import type { Worktrees } from "../../src/engine/host.ts";
import { temporaryFolder } from "../temporary.ts";
import { hostAt, openWith, repository, worktrees } from "./git-world.ts";

const queue = (branches: readonly string[], test?: MergeTest) =>
  workflow({
    name: "w",
    input: z.object({}),
    output: MergeQueueOutput,
    render: () => <MergeQueue id="q" branches={branches} {...(test && { test })} />,
    result: (ctx) => ctx.output(mergedBy("q")),
  });

test("green branches are merged in order, each tested on top of those before; red, conflicting and absent ones are put out", async () => {
  const repo = repository();
  repo.branch("one", { "one.txt": "1" });
  repo.branch("red", { "red.txt": "!" });
  repo.branch("clash", { "one.txt": "other" });
  repo.branch("two", { "two.txt": "2" });
  const tips = repo.git("rev-parse", "one", "red", "clash", "two");
  const command = "test ! -e red.txt && { test ! -e two.txt || test -e one.txt; }";
  const world = await openWith(
    queue(["one", "red", "clash", "absent", "two"], { command }),
    hostAt(repo.folder),
  );
  const run = await world.start();
  expect(run).toMatchObject({
    status: "finished",
    output: {
      merged: [{ branch: "one" }, { branch: "two", head: repo.git("rev-parse", "main") }],
      evicted: [
        { branch: "red", why: expect.stringContaining("ended with 1") },
        { branch: "clash", why: "it conflicts with main in one.txt", files: ["one.txt"] },
        { branch: "absent", why: "there is no such branch" },
      ],
    },
  });
  expect(repo.read("two.txt")).toBe("2");
  expect(existsSync(`${repo.folder}/red.txt`)).toBe(false);
  expect(repo.git("rev-parse", "one", "red", "clash", "two")).toBe(tips);
  expect(repo.git("worktree", "list").split("\n")).toHaveLength(1);
  expect(repo.git("status", "--porcelain")).toBe("");
});

test("a test that is a function says why in words or by throwing", async () => {
  const repo = repository();
  repo.branch("said", { "said.txt": "1" });
  repo.branch("threw", { "threw.txt": "1" });
  repo.branch("fine", { "fine.txt": "1" });
  const judge = async (folder: string) => {
    if (existsSync(`${folder}/said.txt`)) return "not today";
    if (existsSync(`${folder}/threw.txt`)) throw new Error("it broke");
    return undefined;
  };
  const world = await openWith(queue(["said", "threw", "fine"], judge), hostAt(repo.folder));
  expect(await world.start()).toMatchObject({
    output: {
      merged: [{ branch: "fine" }],
      evicted: [
        { branch: "said", why: "not today" },
        { branch: "threw", why: "it broke" },
      ],
    },
  });
});

test("a crash after a merge that was not written down merges nothing twice and skips nothing", async () => {
  const repo = repository();
  repo.branch("one", { "one.txt": "1" });
  repo.branch("two", { "two.txt": "2" });
  repo.branch("three", { "three.txt": "3" });
  const definition = queue(["one", "two", "three"], { command: "true" });
  const real = worktrees();
  const { promise: died, resolve: die } = Promise.withResolvers<void>();
  let landings = 0;
  const dying: Worktrees = {
    ...real,
    land: async (order, check) => {
      const landed = await real.land(order, check);
      landings += 1;
      if (landings < 2) return landed;
      die();
      return await new Promise<never>(() => undefined);
    },
  };
  const world = await openWith(definition, hostAt(repo.folder, { worktrees: dying }));
  void world.start();
  await died;
  world.die();
  const next = await openWith(definition, hostAt(repo.folder), world.path);
  expect(await next.resume()).toMatchObject({
    status: "finished",
    output: { merged: [{ branch: "one" }, { branch: "two" }, { branch: "three" }], evicted: [] },
  });
  expect(repo.git("log", "--format=%s", "--reverse", "main").split("\n")).toEqual([
    "first",
    "one",
    "two",
    "three",
  ]);
});

test("two queues at once lose no commit of each other", async () => {
  const repo = repository();
  const names = Array.from({ length: 6 }, (_, index) => `b${index}`);
  for (const name of names) repo.branch(name, { [`${name}.txt`]: name });
  const worlds = await Promise.all(
    [names.slice(0, 3), names.slice(3)].map((some) => openWith(queue(some), hostAt(repo.folder))),
  );
  const runs = await Promise.all(worlds.map((world, index) => world.start(`r${index}`)));
  for (const run of runs) expect(run).toMatchObject({ status: "finished", output: { evicted: [] } });
  for (const name of names) expect(repo.read(`${name}.txt`)).toBe(name);
  expect(repo.git("rev-list", "--count", "main")).toBe("7");
});

test.each(["update-index", "read-tree"])(
  "whoever holds the index for a moment at %s, as an editor does, is waited for",
  async (when) => {
    const repo = repository();
    repo.branch("one", { "one.txt": "1" });
    const lock = join(repo.folder, ".git", "index.lock");
    const tools = temporaryFolder("tools-");
    const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
    // Taken once, before the first order of this kind, and let go of half a second later.
    const take = `case " $* " in *" ${when} "*) mkdir ${tools}/once 2>/dev/null && { : > ${lock}; (sleep 0.5; rm ${lock}) & } ;; esac`;
    const shim = join(tools, "git");
    writeFileSync(shim, `#!/bin/sh\n${take} >/dev/null 2>&1 </dev/null\nexec ${real} "$@"\n`, {
      mode: 0o755,
    });
    const held = worktrees(`${tools}:${process.env["PATH"]}`);
    const world = await openWith(queue(["one"]), hostAt(repo.folder, { worktrees: held }));
    expect(await world.start()).toMatchObject({
      status: "finished",
      output: { merged: [{ branch: "one" }] },
    });
    expect(existsSync(join(tools, "once"))).toBe(true);
    expect(repo.read("one.txt")).toBe("1");
    expect(repo.git("status", "--porcelain")).toBe("");
    expect((await world.engine.attempts("r")).filter(({ leaf }) => leaf === "q/one")).toHaveLength(1);
  },
);

test("a branch named twice is refused", () => {
  expect(() => <MergeQueue id="q" branches={["one", "one"]} />).toThrow("the branch one twice");
});
