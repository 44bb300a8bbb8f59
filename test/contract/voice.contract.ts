import { afterEach, beforeEach, describe, expect } from "vitest";
import type { Check } from "../../src/ports-notices.ts";
import { claims, doTwice, key, writesOf } from "./stage.ts";
import type { Exceptions, Stage } from "./stage.ts";

const gate: Check = {
  name: "forgehand / gate",
  status: "in_progress",
  conclusion: undefined,
  title: "Reviewing",
  summary: "Round 1",
  externalId: "run-1",
  detailsUrl: undefined,
  buttons: [],
};

/** What every Voice promises. */
export function voiceContract(name: string, open: () => Promise<Stage>, exceptions: Exceptions = {}): void {
  describe(`Voice: ${name}`, () => {
    let stage: Stage;
    beforeEach(async () => {
      stage = await open();
    });
    afterEach(() => stage.close());
    const { claim, everyExceptionIsAClaim } = claims(exceptions);
    const openIssue = async (): Promise<{ repo: Stage["repo"]; number: number }> => ({
      repo: stage.repo,
      number: await stage.people.openIssue("rob", { title: "The till is stuck", body: "It jams." }),
    });
    const openPull = async () => {
      const head = await stage.people.push("ada", "forgehand/1-till", { path: "till.ts", lines: 5 });
      const draft = {
        repo: stage.repo,
        branch: "forgehand/1-till",
        base: "main",
        title: "t",
        region: "r",
        draft: false,
      };
      return { head, pull: await stage.forge.openPull(key("open"), draft) };
    };

    claim("one comment per marker, brought up to date in place", async () => {
      const issue = await openIssue();
      const first = await stage.voice.upsertComment(key("a"), issue, "workpad 1", "one");
      const second = await stage.voice.upsertComment(key("b"), issue, "workpad 1", "two");
      const other = await stage.voice.upsertComment(key("c"), issue, "note 1", "three");
      expect(second).toBe(first);
      expect(other).not.toBe(first);
      const seen = await stage.people.seeComments(issue.number);
      expect(seen.map((comment) => comment.body.split("\n").at(-1))).toEqual(["two", "three"]);
      expect(seen[0]?.body.split("\n", 1)[0]).toBe("<!-- forgehand:workpad 1 -->");
    });

    claim("an identical body is not written again", async () => {
      const issue = await openIssue();
      await stage.voice.upsertComment(key("a"), issue, "workpad", "same");
      expect(await writesOf(stage, () => stage.voice.upsertComment(key("b"), issue, "workpad", "same"))).toBe(
        0,
      );
    });

    claim("a comment survives a lost answer", async () => {
      const issue = await openIssue();
      expect(await doTwice(stage, () => stage.voice.upsertComment(key("a"), issue, "workpad", "x"))).toBe(
        "lost once",
      );
      expect(await stage.people.seeComments(issue.number)).toHaveLength(1);
    });

    claim("a stranger's comment with our marker is never taken for ours", async () => {
      const issue = await openIssue();
      const forged = await stage.people.comment(
        "rob",
        issue.number,
        "<!-- forgehand:workpad -->\nours, honestly",
      );
      const own = await stage.voice.upsertComment(key("a"), issue, "workpad", "real");
      expect(own).not.toBe(forged);
      expect(await stage.people.seeComments(issue.number)).toMatchObject([
        { id: forged, by: "rob", body: "<!-- forgehand:workpad -->\nours, honestly" },
        { id: own, by: stage.bot },
      ]);
    });

    claim("a removed comment is written anew", async () => {
      const issue = await openIssue();
      const first = await stage.voice.upsertComment(key("a"), issue, "workpad", "one");
      await stage.people.removeComment("ada", Number(first));
      const second = await stage.voice.upsertComment(key("b"), issue, "workpad", "one");
      expect(second).not.toBe(first);
      expect(await stage.people.seeComments(issue.number)).toHaveLength(1);
    });

    claim("a reaction is given once, and a deleted comment needs none", async () => {
      const issue = await openIssue();
      await stage.voice.react(key("a"), issue, undefined, "eyes");
      expect(await writesOf(stage, () => stage.voice.react(key("b"), issue, undefined, "eyes"))).toBe(0);
      expect(await stage.people.seeReactions(issue.number)).toEqual(["eyes"]);
      const gone = { kind: "comment", id: 987_654, thread: issue.number } as const;
      expect(await writesOf(stage, () => stage.voice.react(key("c"), issue, gone, "confused"))).toBe(0);
    });

    claim("one check run per name and head, updated where it exists", async () => {
      const { head } = await openPull();
      await stage.voice.writeCheck(key("a"), stage.repo, head, gate);
      expect(await writesOf(stage, () => stage.voice.writeCheck(key("a"), stage.repo, head, gate))).toBe(0);
      const done: Check = { ...gate, status: "completed", conclusion: "success", title: "Passed" };
      await stage.voice.writeCheck(key("b"), stage.repo, head, done);
      expect(await stage.people.seeChecks(head)).toEqual([
        { name: "forgehand / gate", status: "completed", conclusion: "success" },
      ]);
    });

    claim("a check run survives a lost answer", async () => {
      const { head } = await openPull();
      expect(await doTwice(stage, () => stage.voice.writeCheck(key("a"), stage.repo, head, gate))).toBe(
        "lost once",
      );
      expect(await stage.people.seeChecks(head)).toHaveLength(1);
    });

    claim("one comment review per key, also when its answer was lost", async () => {
      const { head, pull } = await openPull();
      const post = (): Promise<void> => stage.voice.postReview(key("run-1"), pull, head, "Two blockers", []);
      expect(await doTwice(stage, post)).toBe("lost once");
      await stage.voice.postReview(key("run-2"), pull, head, "Clean now", []);
      const seen = await stage.people.seeReviews(pull.number);
      expect(seen.map(({ by, state }) => [by, state])).toEqual([
        [stage.bot, "COMMENTED"],
        [stage.bot, "COMMENTED"],
      ]);
    });

    claim("findings outside the diff are said in the body", async () => {
      const { head, pull } = await openPull();
      await stage.voice.postReview(key("run-1"), pull, head, "Verdict", [
        { path: "till.ts", line: 900, body: "far away" },
        { path: "other.ts", line: 1, body: "not here" },
      ]);
      const [review] = await stage.people.seeReviews(pull.number);
      expect(review?.body).toContain("till.ts:900");
      expect(review?.body).toContain("other.ts:1");
      expect(await stage.people.seeInline(pull.number)).toEqual([]);
    });

    claim("findings inside the diff are said at their line", async () => {
      const { head, pull } = await openPull();
      await stage.voice.postReview(key("run-1"), pull, head, "Verdict", [
        { path: "till.ts", line: 3, body: "off by one" },
      ]);
      expect(await stage.people.seeInline(pull.number)).toMatchObject([
        { path: "till.ts", line: 3, body: "off by one" },
      ]);
      const [review] = await stage.people.seeReviews(pull.number);
      expect(review?.body).not.toContain("off by one");
    });

    claim("a comment on a finding is brought up to date with its thread, once", async () => {
      const { head, pull } = await openPull();
      await stage.voice.postReview(key("run-1"), pull, head, "Verdict", [
        { path: "till.ts", line: 3, body: "off by one", id: "f1" },
        { path: "till.ts", line: 4, body: "no test", id: "f2" },
      ]);
      const fixed = [{ id: "f1", body: "~~off by one~~ fixed", thread: "resolved" }] as const;
      const settle = (): Promise<void> => stage.voice.updateFindings(key("run-2"), pull, fixed);
      expect(await writesOf(stage, settle)).toBeGreaterThan(0);
      expect(await writesOf(stage, settle)).toBe(0);
      const bodies = async (): Promise<readonly string[]> =>
        (await stage.people.seeInline(pull.number)).map(({ body }) => body.split("\n").at(-1) ?? "");
      expect(await bodies()).toEqual(["~~off by one~~ fixed", "no test"]);
      const back = [{ id: "f1", body: "off by one, again", thread: "open" }] as const;
      expect(
        await writesOf(stage, () => stage.voice.updateFindings(key("run-3"), pull, back)),
      ).toBeGreaterThan(0);
      expect(await writesOf(stage, () => stage.voice.updateFindings(key("run-3"), pull, back))).toBe(0);
      expect(await bodies()).toEqual(["off by one, again", "no test"]);
    });

    claim("a notice is one issue of ours: opened once, edited, and closed with a last word", async () => {
      const { voice, repo, tracker } = stage;
      const say = (body: string) => voice.writeNotice(key(body), repo, "config 1", { title: "Act", body });
      const close = () => voice.closeNotice(key("close"), repo, "config 1", "It is right again.");
      expect(await writesOf(stage, close)).toBe(0);
      const number = await say("one");
      expect(await writesOf(stage, () => say("one"))).toBe(0);
      expect(await say("two")).toBe(number);
      const told = await tracker.ticket({ repo, number });
      expect(told).toMatchObject({ title: "Act", open: true, author: stage.bot });
      expect(told?.body).toMatch(/\ntwo$/u);
      await doTwice(stage, close);
      expect(await tracker.ticket({ repo, number })).toMatchObject({ open: false, declined: false });
      const said = await stage.people.seeComments(number);
      expect(said.map(({ body }) => body.split("\n").at(-1))).toEqual(["It is right again."]);
      // Whoever closed it knows; it is brought up to date and stays closed.
      expect(await say("three")).toBe(number);
      expect(await tracker.ticket({ repo, number })).toMatchObject({ open: false });
      expect(await voice.writeNotice(key("next"), repo, "config 2", { title: "Act", body: "x" })).not.toBe(
        number,
      );
    });

    claim("a finding that was never posted at a line has nothing to be brought up to date", async () => {
      const { pull } = await openPull();
      const gone = [{ id: "f9", body: "x", thread: "resolved" }] as const;
      expect(await writesOf(stage, () => stage.voice.updateFindings(key("run-1"), pull, gone))).toBe(0);
    });

    everyExceptionIsAClaim();
  });
}
