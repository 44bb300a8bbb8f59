import { afterAll, beforeAll, describe, expect } from "vitest";
import type { Remote, Workspace, Worktree } from "../../src/ports.ts";
import type { SeenTips } from "../../src/ports-threads.ts";
import { claims } from "./stage.ts";
import type { Exceptions } from "./stage.ts";

/** A workspace on a remote of its own, and hands in the worktrees and at the remote. */
export interface WorkspaceStage {
  readonly space: Workspace;
  readonly remote: Remote;
  /** What an agent does: writes this text, or deletes the file. */
  write(tree: Worktree, path: string, text: string | undefined): Promise<void>;
  read(tree: Worktree, path: string): Promise<string | undefined>;
  /** Somebody else commits these files on this branch of the remote, from its tip or from main. */
  push(branch: string, files: Readonly<Record<string, string>>): Promise<string>;
  tip(branch: string): Promise<string | undefined>;
  deleteBranch(branch: string): Promise<void>;
  close(): Promise<void>;
}

/** Files of the remote's first commit. */
export const firstFiles = { "AGENTS.md": "base\n", "src/app.ts": "export const one = 1;\n" };

/** What every Workspace promises. */
export function workspaceContract(
  name: string,
  open: () => Promise<WorkspaceStage>,
  exceptions: Exceptions = {},
): void {
  describe(`a workspace ${name}`, () => {
    let stage: WorkspaceStage;
    let count = 0;
    beforeAll(async () => {
      stage = await open();
    });
    afterAll(() => stage.close());
    /** A ticket of its own for each claim. */
    const ticket = () => {
      count += 1;
      const [id, branch] = [`github:7#${count}`, `hand/${count}`];
      return {
        branch,
        prepare: (seen?: SeenTips) => stage.space.prepare(id, stage.remote, branch, {}, seen),
        cold: (head: string) => stage.space.checkoutCold(id, stage.remote, head, `review-${count}`),
        publish: (tree: Worktree, expected?: string) =>
          stage.space.publish(tree, stage.remote, branch, expected),
        drop: () => stage.space.drop(id, stage.remote, {}),
        commit: async (tree: Worktree, path: string, text: string) => {
          await stage.write(tree, path, text);
          return (await stage.space.commit(tree, `Write ${path}`)) ?? "nothing was committed";
        },
      };
    };
    const { claim, everyExceptionIsAClaim } = claims(exceptions);
    worktreeClaims(claim, () => stage, ticket);
    publishClaims(claim, () => stage, ticket);
    coldClaims(claim, () => stage, ticket);
    dropClaims(claim, () => stage, ticket);
    stackClaims(claim, () => stage, ticket);
    baseClaims(claim, () => stage, ticket);
    theirsClaims(claim, () => stage, ticket);
    everyExceptionIsAClaim();
  });
}

interface Ticket {
  readonly branch: string;
  prepare(seen?: SeenTips): Promise<Worktree>;
  cold(head: string): Promise<Worktree>;
  publish(tree: Worktree, expected?: string): ReturnType<Workspace["publish"]>;
  drop(): ReturnType<Workspace["drop"]>;
  commit(tree: Worktree, path: string, text: string): Promise<string>;
}
type Claims = (
  claim: (what: string, body: () => Promise<void>) => void,
  stage: () => WorkspaceStage,
  ticket: () => Ticket,
) => void;

const worktreeClaims: Claims = (claim, stage, ticket) => {
  claim("a new worktree holds the default branch, on its own branch", async () => {
    const { prepare, branch } = ticket();
    const tree = await prepare();
    expect(tree).toMatchObject({ branch, head: await stage().tip("main"), base: tree.head });
    expect(await stage().read(tree, "src/app.ts")).toBe(firstFiles["src/app.ts"]);
  });
  claim("a worktree is found as it was left", async () => {
    const { prepare, commit } = ticket();
    const tree = await prepare();
    const head = await commit(tree, "one.ts", "1\n");
    await stage().write(tree, "two.ts", "2\n");
    const again = await prepare();
    expect(again).toEqual({ ...tree, head });
    expect(await stage().read(again, "two.ts")).toBe("2\n");
  });
  claim("a fingerprint is the same until a file changes, and again once it is changed back", async () => {
    const tree = await ticket().prepare();
    const { space } = stage();
    const before = await space.fingerprint(tree);
    expect(await space.fingerprint(tree)).toBe(before);
    await stage().write(tree, "new.ts", "1\n");
    const added = await space.fingerprint(tree);
    await stage().write(tree, "new.ts", "2\n");
    const changed = await space.fingerprint(tree);
    await stage().write(tree, "new.ts", undefined);
    await stage().write(tree, "src/app.ts", undefined);
    const gone = await space.fingerprint(tree);
    expect(new Set([before, added, changed, gone]).size).toBe(4);
    await stage().write(tree, "src/app.ts", firstFiles["src/app.ts"]);
    expect(await space.fingerprint(tree)).toBe(before);
  });
  claim("two tickets never share a worktree", async () => {
    const [one, two] = await Promise.all([ticket().prepare(), ticket().prepare()]);
    await stage().write(one, "mine.ts", "1");
    expect(await stage().read(two, "mine.ts")).toBeUndefined();
  });
  claim("a branch that the remote has is where the worktree starts", async () => {
    const { prepare, branch } = ticket();
    const base = await stage().tip("main");
    const head = await stage().push(branch, { "theirs.ts": "t\n" });
    expect(await prepare()).toMatchObject({ head, base });
  });
  claim("a worktree catches up with its branch, but not over changes", async () => {
    const { prepare, branch } = ticket();
    await stage().push(branch, { "theirs.ts": "1\n" });
    const tree = await prepare();
    const head = await stage().push(branch, { "theirs.ts": "2\n" });
    expect((await prepare()).head).toBe(head);
    await stage().push(branch, { "theirs.ts": "3\n" });
    await stage().write(tree, "mine.ts", "m");
    expect((await prepare()).head).toBe(head);
  });
  claim("a commit takes what was added, changed and deleted, and nothing makes no commit", async () => {
    const { prepare } = ticket();
    const tree = await prepare();
    expect(await stage().space.commit(tree, "Nothing")).toBeUndefined();
    await stage().write(tree, "added.ts", "a\n");
    await stage().write(tree, "AGENTS.md", "changed\n");
    await stage().write(tree, "src/app.ts", undefined);
    const head = await stage().space.commit(tree, "Everything");
    expect(await prepare()).toMatchObject({ head, base: tree.base });
    const diff = await stage().space.diff(tree);
    for (const line of ["+++ b/added.ts", "+a", "-base", "+changed", "--- a/src/app.ts", "+++ /dev/null"])
      expect(diff.split("\n")).toContain(line);
  });
  claim("a path is restored from the base, and removed where the base has none", async () => {
    const tree = await ticket().prepare();
    await stage().write(tree, "src/app.ts", "poison");
    await stage().write(tree, "src/extra.ts", "poison");
    await stage().write(tree, ".claude/settings.json", "poison");
    await stage().space.restore(tree, ["src/", ".claude", "CLAUDE.md"]);
    expect(await stage().read(tree, "src/app.ts")).toBe(firstFiles["src/app.ts"]);
    expect(await stage().space.commit(tree, "Nothing")).toBeUndefined();
  });
  claim("a path that leaves the worktree is refused", async () => {
    const tree = await ticket().prepare();
    for (const path of ["../x", "/etc", ".git/config", ""])
      await expect(stage().space.restore(tree, [path])).rejects.toMatchObject({
        code: "git-path",
        permanent: true,
      });
  });
};

const publishClaims: Claims = (claim, stage, ticket) => {
  claim("publishing twice publishes once", async () => {
    const { prepare, commit, publish, branch } = ticket();
    const tree = await prepare();
    const head = await commit(tree, "one.ts", "1\n");
    expect(await publish(tree)).toBe(head);
    expect(await publish(tree)).toBe(head);
    expect(await stage().tip(branch)).toBe(head);
    const next = await commit(tree, "two.ts", "2\n");
    expect(await publish(tree, head)).toBe(next);
  });
  claim("what was published is so still when somebody built upon it before we were told", async () => {
    const { prepare, commit, publish, branch } = ticket();
    const tree = await prepare();
    const first = await commit(tree, "one.ts", "1\n");
    await publish(tree);
    const second = await commit(tree, "two.ts", "2\n");
    expect(await publish(tree, first)).toBe(second);
    const theirs = await stage().push(branch, { "theirs.ts": "t" });
    expect(await publish(tree, first)).toBe(second);
    expect(await stage().tip(branch)).toBe(theirs);
  });
  claim("a branch that somebody else moved is not overwritten", async () => {
    const { prepare, commit, publish, branch } = ticket();
    const tree = await prepare();
    await commit(tree, "one.ts", "1\n");
    const theirs = await stage().push(branch, { "theirs.ts": "t" });
    expect(await publish(tree)).toEqual({ is: "moved", to: theirs });
    expect(await stage().tip(branch)).toBe(theirs);
  });
  claim("a branch that somebody deleted is not brought back", async () => {
    const { prepare, commit, publish, branch } = ticket();
    const tree = await prepare();
    const head = await commit(tree, "one.ts", "1\n");
    await publish(tree);
    await stage().deleteBranch(branch);
    await commit(tree, "two.ts", "2\n");
    expect(await publish(tree, head)).toEqual({ is: "moved", to: undefined });
    expect(await stage().tip(branch)).toBeUndefined();
  });
};

const coldClaims: Claims = (claim, stage, ticket) => {
  claim("a cold checkout holds exactly its head and shows every write", async () => {
    const { prepare, commit, cold } = ticket();
    const tree = await prepare();
    const head = await commit(tree, "one.ts", "1\n");
    await stage().write(tree, "not-committed.ts", "x");
    const checkout = await cold(head);
    expect(checkout).toMatchObject({ head, base: tree.base, branch: undefined });
    expect(await stage().read(checkout, "not-committed.ts")).toBeUndefined();
    expect(await stage().space.diff(checkout)).toContain("+++ b/one.ts");
    expect(await stage().space.written(checkout)).toEqual([]);
    await stage().write(checkout, "one.ts", "2\n");
    await stage().write(checkout, "added.ts", "a");
    await stage().write(checkout, "AGENTS.md", undefined);
    expect([...(await stage().space.written(checkout))].toSorted()).toEqual([
      "AGENTS.md",
      "added.ts",
      "one.ts",
    ]);
  });
  claim("what a head changes is told as its checkout would show it, without one", async () => {
    const { prepare, commit, cold } = ticket();
    const tree = await prepare();
    const head = await commit(tree, "one.ts", "1\n");
    await stage().write(tree, "not-committed.ts", "x");
    await stage().push("main", { "elsewhere.ts": "since\n" });
    const told = await stage().space.headDiff(stage().remote, head);
    expect(told).toBe(await stage().space.diff(await cold(head)));
    expect(told).toContain("+++ b/one.ts");
    expect(told).not.toContain("not-committed.ts");
    expect(told).not.toContain("elsewhere.ts");
  });
  claim("what a head that only the remote has changes is told too", async () => {
    const head = await stage().push(ticket().branch, { "theirs.ts": "t" });
    expect(await stage().space.headDiff(stage().remote, head)).toContain("+++ b/theirs.ts");
  });
  claim("a cold checkout of a head that only the remote has", async () => {
    const { cold, branch } = ticket();
    const head = await stage().push(branch, { "theirs.ts": "t" });
    expect(await stage().read(await cold(head), "theirs.ts")).toBe("t");
  });
  claim("nothing is committed in a cold checkout, and dropping it twice is fine", async () => {
    const { prepare, cold } = ticket();
    const checkout = await cold((await prepare()).head);
    await expect(stage().space.commit(checkout, "x")).rejects.toMatchObject({ permanent: true });
    await stage().space.dropCold(checkout);
    await stage().space.dropCold(checkout);
    await expect(stage().space.diff(checkout))
      .resolves.toBe("")
      .catch(() => undefined);
  });
};

const dropClaims: Claims = (claim, stage, ticket) => {
  claim("what was never made, or holds nothing new, is dropped", async () => {
    const { prepare, drop } = ticket();
    expect(await drop()).toBe("dropped");
    await prepare();
    expect(await drop()).toBe("dropped");
    expect(await drop()).toBe("dropped");
  });
  claim("uncommitted and unpublished work is kept, published work is not", async () => {
    const { prepare, commit, publish, drop } = ticket();
    const tree = await prepare();
    await stage().write(tree, "one.ts", "1");
    expect(await drop()).toMatchObject({ is: "kept", why: expect.stringContaining("uncommitted") });
    await commit(tree, "two.ts", "2");
    expect(await drop()).toMatchObject({ is: "kept", why: expect.stringContaining("remote does not have") });
    await publish(tree);
    expect(await drop()).toBe("dropped");
  });
  claim("work that was merged by squashing, its branch deleted, is dropped", async () => {
    const { prepare, commit, publish, drop, branch } = ticket();
    const tree = await prepare();
    await commit(tree, "squashed.ts", "1");
    await publish(tree);
    await stage().push("main", { "squashed.ts": "1" });
    await stage().deleteBranch(branch);
    expect(await drop()).toBe("dropped");
  });
  claim("after a drop the worktree starts where the remote is", async () => {
    const { prepare, commit, publish, drop, branch } = ticket();
    await commit(await prepare(), "one.ts", "1");
    await publish(await prepare());
    await drop();
    const head = await stage().push(branch, { "theirs.ts": "t" });
    expect((await prepare()).head).toBe(head);
  });
};

const theirsClaims: Claims = (claim, stage, ticket) => {
  claim("what somebody pushed meanwhile stays as it is, and our work grows from it", async () => {
    const { prepare, commit, publish, branch } = ticket();
    const tree = await prepare();
    const first = await commit(tree, "one.ts", "1\n");
    expect(await publish(tree)).toBe(first);
    await stage().write(tree, "one.ts", "2\n");
    const theirs = await stage().push(branch, { "theirs.ts": "t\n" });
    for (const time of ["first", "again"])
      expect(await stage().space.takeTheirs(tree, stage().remote), time).toMatchObject({
        upon: theirs,
        conflicts: [],
      });
    expect(await stage().read(tree, "theirs.ts")).toBe("t\n");
    expect(await stage().read(tree, "one.ts")).toBe("2\n");
    const head = await commit(tree, "more.ts", "3\n");
    expect(await publish(tree, theirs)).toBe(head);
    expect(await stage().tip(branch)).toBe(head);
    const again = await prepare();
    expect(again.head).toBe(head);
    expect(await stage().space.takeTheirs(again, stage().remote)).toMatchObject({
      upon: head,
      conflicts: [],
    });
  });
  claim("what was seen of the remote holds still, whoever pushes since", async () => {
    const { prepare, commit, publish, branch } = ticket();
    const tree = await prepare();
    const head = await commit(tree, "one.ts", "1\n");
    expect(await publish(tree)).toBe(head);
    const { seen } = await stage().space.takeTheirs(tree, stage().remote);
    expect(seen).toMatchObject({ branch: head, default: await stage().tip("main") });
    const theirs = await stage().push(branch, { "theirs.ts": "t\n" });
    const still = await prepare(seen);
    expect(still).toMatchObject({ head, base: seen.base });
    await commit(still, "two.ts", "2\n");
    expect(await publish(still, head)).toEqual({ is: "moved", to: theirs });
    expect((await stage().space.takeTheirs(still, stage().remote)).seen).toMatchObject({ branch: theirs });
  });
  claim("what was seen before we published holds still after it too", async () => {
    const { prepare, commit, publish } = ticket();
    const tree = await prepare();
    const first = await commit(tree, "one.ts", "1\n");
    await publish(tree);
    const { seen } = await stage().space.takeTheirs(tree, stage().remote);
    const second = await commit(await prepare(seen), "two.ts", "2\n");
    for (const time of ["first", "again"]) {
      const still = await prepare(seen);
      expect(still.head, time).toBe(second);
      expect(await stage().space.commit(still, "Ours"), time).toBeUndefined();
      expect(await publish(still, first), time).toBe(second);
    }
  });
  claim("where both changed the same, the file is named and marked", async () => {
    const { prepare, commit, publish, branch } = ticket();
    const tree = await prepare();
    await commit(tree, "both.ts", "first\n");
    await publish(tree);
    await stage().write(tree, "both.ts", "ours\n");
    const theirs = await stage().push(branch, { "both.ts": "theirs\n" });
    expect(await stage().space.takeTheirs(tree, stage().remote)).toMatchObject({
      upon: theirs,
      conflicts: ["both.ts"],
    });
    const marked = await stage().read(tree, "both.ts");
    for (const part of ["<<<<<<< ", "ours\n", "theirs\n", ">>>>>>> "]) expect(marked).toContain(part);
    const head = await commit(tree, "both.ts", "ours and theirs\n");
    expect(await publish(tree, theirs)).toBe(head);
  });
  claim("a branch nobody pushed to is left alone", async () => {
    const { prepare, commit } = ticket();
    const tree = await prepare();
    const head = await commit(tree, "one.ts", "1\n");
    expect(await stage().space.takeTheirs(tree, stage().remote)).toMatchObject({
      upon: undefined,
      conflicts: [],
    });
    expect((await prepare()).head).toBe(head);
  });
};

const stackClaims: Claims = (claim, stage, ticket) => {
  claim(
    "a stacked ticket starts on the head it is stacked on, and its change is what it adds to that",
    async () => {
      const { commit, publish, prepare } = ticket();
      await commit(await prepare(), "below.ts", "b\n");
      const upon = await publish(await prepare());
      if (typeof upon !== "string") throw new Error("somebody moved the branch");
      const remote = { ...stage().remote, upon };
      const id = `${upon}-above`;
      const above = await stage().space.prepare(id, remote, `forgehand/${upon}-above`, {});
      expect(above).toMatchObject({ head: upon, base: upon });
      await stage().write(above, "above.ts", "a\n");
      const head = await stage().space.commit(above, "Write above.ts");
      if (head === undefined) throw new Error("nothing was committed");
      const cold = await stage().space.checkoutCold(id, remote, head, "review");
      expect(cold.base).toBe(upon);
      const diff = await stage().space.diff(cold);
      expect(diff).toContain("+a");
      expect(diff).not.toContain("below.ts");
      expect(await stage().space.headDiff(remote, head)).toBe(diff);
      await stage().space.dropCold(cold);
    },
  );
};

const baseClaims: Claims = (claim, stage, ticket) => {
  claim(
    "a base that moved is taken into the worktree once, and what conflicts is named and marked",
    async () => {
      const { prepare, commit, publish, cold } = ticket();
      const tree = await prepare();
      const before = await commit(tree, "both.ts", "ours\n");
      expect(await publish(tree)).toBe(before);
      expect(await stage().space.takeBase(await prepare())).toEqual([]);
      const tip = await stage().push("main", { "both.ts": "theirs\n", "new.ts": "n\n" });
      const behind = await prepare();
      for (const time of ["first", "again"])
        expect(await stage().space.takeBase(behind), time).toEqual(["both.ts"]);
      expect(await stage().read(behind, "new.ts")).toBe("n\n");
      const marked = await stage().read(behind, "both.ts");
      for (const part of ["<<<<<<< ", "ours\n", "theirs\n", ">>>>>>> "]) expect(marked).toContain(part);
      const head = await commit(behind, "both.ts", "ours and theirs\n");
      expect(await publish(behind, before)).toBe(head);
      expect(await stage().space.takeBase(await prepare())).toEqual([]);
      const seen = await cold(head);
      expect(seen.base).toBe(tip);
      const diff = await stage().space.diff(seen);
      expect(diff).toContain("+ours and theirs");
      expect(diff).not.toContain("new.ts");
    },
  );
};
