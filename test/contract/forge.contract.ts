import { afterEach, beforeEach, describe, expect } from "vitest";
import type { PullRef } from "../../src/ports.ts";
import { claims, doTwice, key, writesOf } from "./stage.ts";
import type { Exceptions, Stage } from "./stage.ts";

const message = { title: "Add a till", body: "Closes #1" };

/** What every Forge promises. */
export function forgeContract(name: string, open: () => Promise<Stage>, exceptions: Exceptions = {}): void {
  describe(`Forge: ${name}`, () => {
    let stage: Stage;
    beforeEach(async () => {
      stage = await open();
    });
    afterEach(() => stage.close());
    const { claim, everyExceptionIsAClaim } = claims(exceptions);
    const openPull = async (branch = "forgehand/1-till"): Promise<{ pull: PullRef; head: string }> => {
      const head = await stage.people.push("ada", branch, { path: `${branch.slice(10)}.ts`, lines: 5 });
      const draft = {
        repo: stage.repo,
        branch,
        base: "main",
        title: "Add a till",
        region: "Why",
        draft: false,
      };
      return { pull: await stage.forge.openPull(key("open"), draft), head };
    };
    const facts = async (pull: PullRef) => {
      const found = await stage.forge.pull(pull);
      if (found === undefined) throw new Error("The pull request is not there.");
      return found;
    };

    claim("a pull request that does not exist is undefined", async () => {
      expect(await stage.forge.pull({ repo: stage.repo, number: 9999 })).toBeUndefined();
    });

    claim("permissions are told by role; strangers and bots have none", async () => {
      const told = await Promise.all(
        ["ada", "wren", "tess", "rob", "nobody", stage.bot].map((login) =>
          stage.forge.permission(stage.repo, login),
        ),
      );
      expect(told).toEqual(["admin", "write", "triage", "read", "none", "none"]);
    });

    claim("opening twice finds the first", async () => {
      const first = await openPull();
      const draft = {
        repo: stage.repo,
        branch: "forgehand/1-till",
        base: "main",
        title: "x",
        region: "y",
        draft: true,
      };
      const again = await stage.forge.openPull(key("again"), draft);
      expect(again.number).toBe(first.pull.number);
      expect(stage.writes.filter((write) => write.operation === "open a pull request")).toHaveLength(1);
    });

    claim("opening survives a lost answer", async () => {
      await stage.people.push("ada", "forgehand/2-lost", { path: "lost.ts", lines: 1 });
      const draft = {
        repo: stage.repo,
        branch: "forgehand/2-lost",
        base: "main",
        title: "t",
        region: "r",
        draft: true,
      };
      expect(await doTwice(stage, () => stage.forge.openPull(key("lost"), draft))).toBe("lost once");
      expect(stage.writes.filter((write) => write.operation === "open a pull request")).toHaveLength(1);
    });

    claim("a branch without commits opens nothing, for good", async () => {
      const draft = {
        repo: stage.repo,
        branch: "nothing-here",
        base: "main",
        title: "t",
        region: "r",
        draft: false,
      };
      await expect(stage.forge.openPull(key("none"), draft)).rejects.toMatchObject({ permanent: true });
    });

    claim("a fresh pull request tells its facts", async () => {
      const { pull, head } = await openPull();
      expect(await facts(pull)).toMatchObject({
        number: pull.number,
        open: true,
        merged: undefined,
        draft: false,
        head,
        headBranch: "forgehand/1-till",
        baseBranch: "main",
        armed: false,
        checks: "none",
        checkList: [],
        approvals: [],
      });
    });

    claim("checks are pending, then red, then green", async () => {
      const { pull, head } = await openPull();
      await stage.people.check(head, "ci", "pending");
      expect((await facts(pull)).checks).toBe("pending");
      await stage.people.check(head, "ci", "red");
      expect((await facts(pull)).checks).toBe("red");
      await stage.people.check(head, "ci", "green");
      expect((await facts(pull)).checks).toBe("green");
    });

    claim("a required check that has not reported is pending, and never none", async () => {
      const { pull } = await openPull();
      await stage.people.requireChecks(["ci"]);
      const found = await facts(pull);
      expect(found.checks).toBe("pending");
      expect(found.checkList).toMatchObject([
        { name: "ci", is: "pending", required: true, isUnreported: true },
      ]);
    });

    claim("where checks are required, only those count, and the others are still listed", async () => {
      const { pull, head } = await openPull();
      await stage.people.requireChecks(["ci"]);
      await stage.people.check(head, "lint", "red");
      expect((await facts(pull)).checks).toBe("pending");
      await stage.people.check(head, "ci", "green");
      const found = await facts(pull);
      expect(found.checks).toBe("green");
      const told = found.checkList.map(({ name, is, required }) => `${name} ${is} ${required}`);
      expect(told.toSorted((one, other) => one.localeCompare(other))).toEqual([
        "ci green true",
        "lint red false",
      ]);
    });

    claim("our own check run does not count", async () => {
      const { pull, head } = await openPull();
      await stage.voice.writeCheck(key("gate"), stage.repo, head, {
        name: "forgehand / gate",
        status: "in_progress",
        conclusion: undefined,
        title: "Reviewing",
        summary: "",
        externalId: "1",
        detailsUrl: undefined,
        buttons: [],
      });
      expect((await facts(pull)).checks).toBe("none");
    });

    claim("a comment review does not clear an approval", async () => {
      const { pull, head } = await openPull();
      await stage.people.review("wren", pull.number, "APPROVE", "fine");
      await stage.people.review("wren", pull.number, "COMMENT", "one more thought");
      expect((await facts(pull)).approvals).toMatchObject([{ by: "wren", is: "approved", head }]);
    });

    claim("an objection stands until the same person approves", async () => {
      const { pull } = await openPull();
      await stage.people.review("wren", pull.number, "REQUEST_CHANGES", "no tests");
      await stage.people.review("ada", pull.number, "APPROVE", "fine by me");
      const before = (await facts(pull)).approvals.map(({ by, is }) => `${by} ${is}`).sort();
      expect(before).toEqual(["ada approved", "wren objected"]);
      await stage.people.review("wren", pull.number, "APPROVE", "better");
      expect((await facts(pull)).approvals.map(({ is }) => is)).toEqual(["approved", "approved"]);
    });

    claim("a dismissed approval is no approval", async () => {
      const { pull } = await openPull();
      const review = await stage.people.review("wren", pull.number, "APPROVE", "fine");
      await stage.people.dismiss("ada", pull.number, review);
      expect((await facts(pull)).approvals).toMatchObject([{ by: "wren", is: "dismissed" }]);
    });

    claim("an approval keeps the head it was given on", async () => {
      const { pull, head } = await openPull();
      await stage.people.review("wren", pull.number, "APPROVE", "fine");
      const next = await stage.people.push("ada", "forgehand/1-till", { path: "more.ts", lines: 2 });
      const found = await facts(pull);
      expect(found.head).toBe(next);
      expect(found.approvals).toMatchObject([{ by: "wren", head }]);
    });

    claim("asking for a review keeps what people wrote, once", async () => {
      const { pull } = await openPull();
      const change = { region: "What and why", reviewers: ["wren", stage.bot, "nobody"] };
      await stage.forge.askReview(key("ask"), pull, change);
      const seen = await stage.people.seePull(pull.number);
      expect(seen.body).toContain("What and why");
      expect(seen.reviewers).toEqual(["wren"]);
      expect(
        await writesOf(stage, () =>
          stage.forge.askReview(key("ask"), pull, { ...change, reviewers: ["wren"] }),
        ),
      ).toBe(0);
    });

    claim("asking for a review leaves draft", async () => {
      await stage.people.push("ada", "forgehand/3-draft", { path: "draft.ts", lines: 1 });
      const draft = {
        repo: stage.repo,
        branch: "forgehand/3-draft",
        base: "main",
        title: "t",
        region: "r",
        draft: true,
      };
      const pull = await stage.forge.openPull(key("open"), draft);
      expect((await facts(pull)).draft).toBe(true);
      await stage.forge.askReview(key("ask"), pull, { region: "r", reviewers: [] });
      expect((await facts(pull)).draft).toBe(false);
    });

    claim("merging another head is refused as moved", async () => {
      const { pull, head } = await openPull();
      await stage.people.push("ada", "forgehand/1-till", { path: "more.ts", lines: 2 });
      expect(await stage.forge.merge(key("merge"), pull, head, message)).toMatchObject({
        is: "refused",
        how: "moved",
      });
      expect((await facts(pull)).open).toBe(true);
    });

    claim("merging survives a lost answer and happens once", async () => {
      const { pull, head } = await openPull();
      expect(await doTwice(stage, () => stage.forge.merge(key("merge"), pull, head, message))).toBe(
        "lost once",
      );
      const again = await stage.forge.merge(key("merge"), pull, head, message);
      expect(again).toEqual({ is: "merged", merge: (await facts(pull)).merged });
      expect(stage.writes.filter((write) => write.operation === "merge a pull request")).toHaveLength(1);
    });

    claim("a merge tells who did it and what its commit is made of", async () => {
      const { pull, head } = await openPull();
      const before = await stage.people.seeBranch("main");
      const merged = await stage.forge.merge(key("merge"), pull, head, message);
      const { merged: merge = "", mergedBy } = await facts(pull);
      expect(merged).toMatchObject({ merge });
      expect(mergedBy).toBe(stage.bot);
      const commit = await stage.forge.commit(stage.repo, merge);
      expect(commit?.parents[0]).toBe(before);
      expect(commit?.tree).toMatch(/^[0-9a-f]{40}$/u);
      expect(await stage.forge.commit(stage.repo, "0".repeat(40))).toBeUndefined();
    });

    claim("whether our own check is required is told with the pull request", async () => {
      const { pull } = await openPull();
      expect((await facts(pull)).gateIsRequired).toBe(false);
      await stage.people.requireChecks(["ci", "forgehand / gate"]);
      expect((await facts(pull)).gateIsRequired).toBe(true);
    });

    claim("a check tells its conclusion in the forge's word, once it has one", async () => {
      const { pull, head } = await openPull();
      await stage.people.check(head, "ci", "red");
      expect((await facts(pull)).checkList).toMatchObject([{ name: "ci", conclusion: "failure" }]);
      await stage.people.check(head, "ci", "pending");
      expect((await facts(pull)).checkList[0]?.conclusion).toBeUndefined();
    });

    claim("a missing required check refuses the merge as pending", async () => {
      const { pull, head } = await openPull();
      await stage.people.requireChecks(["ci"]);
      expect(await stage.forge.merge(key("merge"), pull, head, message)).toMatchObject({
        is: "refused",
        how: "pending",
      });
    });

    claim("a clean pull request cannot be armed", async () => {
      const { pull, head } = await openPull();
      expect(await stage.forge.arm(key("arm"), pull, head)).toMatchObject({
        is: "refused",
        how: "unavailable",
      });
    });

    claim("an armed pull request can be disarmed, each once", async () => {
      const { pull, head } = await openPull();
      await stage.people.requireChecks(["ci"]);
      expect(await stage.forge.arm(key("arm"), pull, head)).toBe("armed");
      expect(await writesOf(stage, () => stage.forge.arm(key("arm"), pull, head))).toBe(0);
      expect((await facts(pull)).armed).toBe(true);
      await stage.forge.disarm(key("disarm"), pull);
      expect((await facts(pull)).armed).toBe(false);
      expect(await writesOf(stage, () => stage.forge.disarm(key("disarm"), pull))).toBe(0);
    });

    claim("a branch is deleted only at the head we know", async () => {
      const { head } = await openPull();
      await stage.forge.deleteBranch(key("drop"), stage.repo, "forgehand/1-till", "0".repeat(40));
      expect(await stage.people.seeBranch("forgehand/1-till")).toBe(head);
      await stage.forge.deleteBranch(key("drop"), stage.repo, "forgehand/1-till", head);
      expect(await stage.people.seeBranch("forgehand/1-till")).toBeUndefined();
      expect(
        await writesOf(stage, () =>
          stage.forge.deleteBranch(key("drop"), stage.repo, "forgehand/1-till", head),
        ),
      ).toBe(0);
    });

    claim("a pull request is pointed at another base once, and not when it is over", async () => {
      const { pull } = await openPull();
      await stage.people.push("ada", "below", { path: "below.ts", lines: 1 });
      await stage.forge.retarget(key("retarget"), pull, "below");
      expect(await facts(pull)).toMatchObject({ open: true, baseBranch: "below" });
      expect(await writesOf(stage, () => stage.forge.retarget(key("retarget"), pull, "below"))).toBe(0);
      await stage.forge.closePull(key("close"), pull);
      expect(await writesOf(stage, () => stage.forge.retarget(key("back"), pull, "main"))).toBe(0);
    });

    claim("closing twice closes once", async () => {
      const { pull } = await openPull();
      await stage.forge.closePull(key("close"), pull);
      expect((await facts(pull)).open).toBe(false);
      expect(await writesOf(stage, () => stage.forge.closePull(key("close"), pull))).toBe(0);
    });

    everyExceptionIsAClaim();
  });
}
