import { existsSync, mkdirSync, rmSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { ForEach, landed, Loop, Parallel, Sequence, Task, Try, Worktree } from "#engine";
import { refStep } from "../../src/adapters/workflows/repository.ts";
import { retryRun } from "../../src/engine/retry.ts";
import { simple } from "./world.ts";
import { hostAt, openWith, repository, worktrees } from "./git-world.ts";

const Text = z.string();
type Repo = ReturnType<typeof repository>;
const writing = (repo: Repo, id: string, path: string, text: string) => (
  <Task id={id} output={Text} perform={({ folder }) => (repo.write(path, text, folder), folder)} />
);

test("lanes side by side work apart and land both, and the checked out files follow", async () => {
  const repo = repository();
  const lanes = ["a", "b", "c", "d"];
  const definition = simple(
    () => (
      <Parallel>
        {lanes.map((name) => (
          <Worktree id={name}>{writing(repo, `${name}-work`, `${name}.txt`, name)}</Worktree>
        ))}
      </Parallel>
    ),
    () => "ok",
  );
  const world = await openWith(definition, hostAt(repo.folder));
  const run = await world.start();
  expect(run).toMatchObject({ status: "finished", outcome: "met" });
  for (const name of lanes) expect(repo.read(`${name}.txt`)).toBe(name);
  expect(repo.git("status", "--porcelain")).toBe("");
  expect(repo.git("rev-list", "--count", "main")).toBe("5");
  expect(repo.git("rev-list", "--merges", "--count", "main")).toBe("0");
  expect(repo.git("branch", "--format=%(refname:short)")).toBe("main");
  expect(repo.git("for-each-ref", "refs/forgehand")).toBe("");
  expect(repo.git("worktree", "list").split("\n")).toHaveLength(1);
});

test("a conflict fails its subtree, names the files and loses nothing; settled by hand, it lands", async () => {
  const repo = repository();
  const definition = simple(() => (
    <Worktree id="lane">
      {writing(repo, "work", "a.txt", "mine\n")}
      <Task id="other" output={Text} perform={() => repo.commit("other", { "a.txt": "theirs\n" })} />
    </Worktree>
  ));
  const world = await openWith(definition, hostAt(repo.folder));
  const run = await world.start();
  expect(run?.status).toBe("failed");
  expect(run?.error).toContain('"lane" conflicts with main in a.txt');
  expect(run?.error).toContain("forgehand retry r lane/land");
  expect(repo.read("a.txt")).toBe("theirs\n");
  expect(repo.git("show", "forgehand/r/lane:a.txt")).toBe("mine");
  const lane = String(await world.output("work"));
  repo.git("-C", lane, "reset", "-q", "--soft", "main");
  repo.write("a.txt", "both\n", lane);
  repo.git("-C", lane, "commit", "-q", "-am", "settled");
  await world.sql.commit(() => retryRun("r", "lane/land", 1_000));
  expect(await world.resume()).toMatchObject({ status: "finished" });
  expect(repo.read("a.txt")).toBe("both\n");
});

test("an accepted conflict is data, and the worktree is kept with the reason", async () => {
  const repo = repository();
  const definition = {
    ...simple(() => (
      <Worktree id="lane" onConflict="accept">
        {writing(repo, "work", "a.txt", "mine\n")}
        <Task id="other" output={Text} perform={() => repo.commit("other", { "a.txt": "theirs\n" })} />
      </Worktree>
    )),
    result: ((ctx: { output: (leaf: unknown) => unknown }) => ctx.output(landed("lane"))) as never,
  };
  const world = await openWith(definition, hostAt(repo.folder));
  expect(await world.start()).toMatchObject({
    status: "finished",
    output: { is: "conflict", into: "main", files: ["a.txt"] },
  });
  expect(await world.output("lane/close")).toMatchObject({
    is: "kept",
    why: expect.stringContaining("not on main"),
  });
  expect(existsSync(String(await world.output("work")))).toBe(true);
});

test("nothing is landed over uncommitted work, tracked or not, and the files are named", async () => {
  const repo = repository();
  const definition = simple(() => <Worktree id="lane">{writing(repo, "work", "new/b.txt", "b")}</Worktree>);
  repo.write("a.txt", "somebody's\n");
  const dirty = await (await openWith(definition, hostAt(repo.folder))).start("dirty");
  expect(dirty).toMatchObject({ status: "failed", error: expect.stringContaining("not committed: a.txt") });
  expect(repo.read("a.txt")).toBe("somebody's\n");
  repo.git("checkout", "-q", "a.txt");
  repo.write("new/b.txt", "never committed");
  const inTheWay = await (await openWith(definition, hostAt(repo.folder))).start("way");
  expect(inTheWay).toMatchObject({
    status: "failed",
    error: expect.stringContaining("never committed: new/b.txt"),
  });
  expect(repo.read("new/b.txt")).toBe("never committed");
  expect(repo.git("rev-list", "--count", "main")).toBe("1");
});

test("a task whose worktree was removed by hand fails and says what to do; open makes it again from its branch", async () => {
  const repo = repository();
  const definition = simple(() => (
    <Worktree id="lane">
      <Task
        id="gone"
        output={Text}
        perform={({ folder }) => {
          rmSync(folder, { recursive: true });
          return folder;
        }}
      />
      {writing(repo, "work", "b.txt", "b")}
    </Worktree>
  ));
  const world = await openWith(definition, hostAt(repo.folder));
  const run = await world.start();
  expect(run?.error).toContain('the worktree "lane" of "work" is gone');
  expect(run?.error).toContain("forgehand retry r");
  expect(await world.sql.commit(() => retryRun("r", undefined, 1_000))).toEqual({ leaves: ["work"] });
  expect(await world.resume()).toMatchObject({ status: "finished" });
  expect(repo.read("b.txt")).toBe("b");
});

test("each iteration, item and try has its own worktree, the inner one wins and lands on the outer", async () => {
  const repo = repository();
  const folders = new Set<string>();
  const noting = (id: string, path: (iteration: string) => string) => (
    <Task
      id={id}
      output={Text}
      perform={({ folder, iteration }) => {
        folders.add(folder);
        repo.write(path(iteration), iteration, folder);
        return folder;
      }}
    />
  );
  const definition = simple(() => (
    <Sequence>
      <Loop id="l" max={2} until={false} onExhausted="accept">
        <Worktree id="round">{noting("in-round", (iteration) => `round-${iteration}.txt`)}</Worktree>
      </Loop>
      <ForEach items={["x", "y"]}>
        {(item) => <Worktree id={item}>{noting(`in-${item}`, () => `${item}.txt`)}</Worktree>}
      </ForEach>
      <Worktree id="outer">
        <Worktree id="inner">{noting("deep", () => "deep.txt")}</Worktree>
        {noting("shallow", () => "shallow.txt")}
      </Worktree>
      <Try catch={writing(repo, "caught", "caught.txt", "c")}>
        <Worktree id="bad">
          <Task
            id="fails"
            output={Text}
            retries={0}
            perform={() => {
              throw new Error("no");
            }}
          />
        </Worktree>
      </Try>
    </Sequence>
  ));
  const world = await openWith(definition, hostAt(repo.folder));
  expect(await world.start()).toMatchObject({ status: "finished" });
  expect(folders.size).toBe(6);
  for (const file of ["round-0", "round-1", "x", "y", "deep", "shallow", "caught"])
    expect(existsSync(`${repo.folder}/${file}.txt`), file).toBe(true);
});

const verbs = ["open", "commit", "land", "close"] as const;
test.each(verbs.flatMap((verb) => (["before", "after"] as const).map((when) => [when, verb] as const)))(
  "killed %s %s did its work, the lane lands once and nothing is lost",
  async (when, verb) => {
    const repo = repository();
    const definition = simple(
      () => <Worktree id="lane">{writing(repo, "work", "b.txt", "b")}</Worktree>,
      () => "ok",
    );
    const { promise: died, resolve: die } = Promise.withResolvers<void>();
    const real = worktrees();
    const killed = async (work: () => Promise<unknown>): Promise<never> => {
      if (when === "after") await work();
      die();
      return await new Promise<never>(() => undefined);
    };
    const host = hostAt(repo.folder, {
      // The verb's own types are the real one's.
      worktrees: {
        ...real,
        [verb]: (...given: never[]) =>
          killed(() => (real[verb] as (...of: never[]) => Promise<unknown>)(...given)),
      },
    });
    const world = await openWith(definition, host);
    void world.start();
    await died;
    world.die();
    const next = await openWith(definition, hostAt(repo.folder), world.path);
    expect(await next.resume()).toMatchObject({ status: "finished", output: "ok" });
    expect(repo.git("log", "--format=%s", "main").split("\n")).toEqual(["Work of lane", "first"]);
    expect(repo.read("b.txt")).toBe("b");
    expect(repo.git("status", "--porcelain")).toBe("");
    expect(repo.git("for-each-ref", "refs/forgehand")).toBe("");
    expect(repo.git("worktree", "list").split("\n")).toHaveLength(1);
  },
);

test("killed between the branch and its files, the next landing lets the files follow; an edit made meanwhile stays", async () => {
  const repo = repository({ "a.txt": "one\n", "c.txt": "c\n" });
  const old = repo.git("rev-parse", "main");
  const moving = (): void => {
    const next = repo.git(
      "commit-tree",
      "-p",
      "main",
      "-m",
      "moved",
      `${repo.git("rev-parse", "other")}^{tree}`,
    );
    repo.git("update-ref", `refs/forgehand/moving/${movingStep}`, old);
    repo.git("update-ref", "refs/heads/main", next);
  };
  repo.branch("other", { "a.txt": "two\n", "new.txt": "n" });
  const movingStep = refStep("main");
  moving();
  repo.write("a.txt", "somebody's\n");
  const order = { folder: repo.folder, run: "r", name: "n", branch: "other", into: undefined };
  await expect(worktrees().land(order, undefined)).rejects.toThrow("could not follow: a.txt");
  expect(repo.read("a.txt")).toBe("somebody's\n");
  repo.write("a.txt", "one\n");
  expect(await worktrees().land(order, undefined)).toMatchObject({ is: "merged" });
  expect(repo.read("a.txt")).toBe("two\n");
  expect(repo.read("new.txt")).toBe("n");
  expect(repo.git("status", "--porcelain")).toBe("");
});

test("filters and hooks that somebody put into the repository never run", async () => {
  const repo = repository({ ".gitattributes": "*.txt filter=evil merge=evil\n", "a.txt": "one\n" });
  const ran = `${repo.folder}/ran`;
  for (const program of ["clean", "smudge"])
    repo.git("config", `filter.evil.${program}`, `touch ${ran}; cat`);
  repo.git("config", "filter.evil.required", "true");
  repo.git("config", "merge.evil.driver", `touch ${ran}; false`);
  repo.write(".git/hooks/post-checkout", `#!/bin/sh\ntouch ${ran}\n`);
  const world = await openWith(
    simple(() => <Worktree id="lane">{writing(repo, "work", "b.txt", "b")}</Worktree>),
    hostAt(repo.folder),
  );
  rmSync(ran, { force: true });
  const run = await world.start();
  expect(world.errors).toEqual([]);
  expect(run).toMatchObject({ status: "finished" });
  expect(existsSync(ran)).toBe(false);
});

test("a folder in no repository, on no branch, or a branch that is somebody's, is refused with what to do", async () => {
  const lanes = worktrees();
  const bare = repository();
  const order = { folder: bare.folder, run: "r", name: "n", branch: undefined, from: undefined };
  rmSync(`${bare.folder}/.git`, { recursive: true });
  await expect(lanes.open(order)).rejects.toThrow("is in no git repository");
  mkdirSync(`${bare.folder}/.git`);
  await expect(lanes.open(order)).rejects.toThrow("is in no git repository");
  const repo = repository();
  const here = { ...order, folder: repo.folder };
  repo.branch("theirs", { "b.txt": "b" });
  await expect(lanes.open({ ...here, branch: "theirs" })).rejects.toThrow("there is a branch theirs already");
  await expect(lanes.open({ ...here, from: "nowhere" })).rejects.toThrow('there is no commit "nowhere"');
  await expect(lanes.open({ ...here, branch: "../x" })).rejects.toThrow("is no name for a branch");
  repo.git("checkout", "-q", "--detach");
  await expect(lanes.land({ ...here, branch: "theirs", into: undefined }, undefined)).rejects.toThrow(
    "on no branch",
  );
});
