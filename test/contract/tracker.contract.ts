import { afterEach, beforeEach, describe, expect } from "vitest";
import { claims, doTwice, key, writesOf } from "./stage.ts";
import type { Exceptions, Stage } from "./stage.ts";

/** What every Tracker promises. */
export function trackerContract(name: string, open: () => Promise<Stage>, exceptions: Exceptions = {}): void {
  describe(`Tracker: ${name}`, () => {
    let stage: Stage;
    beforeEach(async () => {
      stage = await open();
    });
    afterEach(() => stage.close());
    const { claim, everyExceptionIsAClaim } = claims(exceptions);
    const openIssue = async (): Promise<{ repo: Stage["repo"]; number: number }> => {
      const number = await stage.people.openIssue("rob", { title: "The till is stuck", body: "It jams." });
      return { repo: stage.repo, number };
    };

    claim("an issue is told as a ticket", async () => {
      const issue = await openIssue();
      await stage.people.label("tess", issue.number, "agent-ready");
      expect(await stage.tracker.ticket(issue)).toMatchObject({
        id: `github:${stage.repo.id}#${issue.number}`,
        ref: `${stage.repo.owner}/${stage.repo.name}#${issue.number}`,
        title: "The till is stuck",
        body: "It jams.",
        open: true,
        declined: false,
        labels: ["agent-ready"],
        author: "rob",
      });
    });

    claim("what does not exist is undefined", async () => {
      expect(await stage.tracker.ticket({ repo: stage.repo, number: 9999 })).toBeUndefined();
    });

    claim("a pull request is no ticket", async () => {
      await stage.people.push("ada", "forgehand/1-a", { path: "a.ts", lines: 1 });
      const draft = {
        repo: stage.repo,
        branch: "forgehand/1-a",
        base: "main",
        title: "t",
        region: "r",
        draft: false,
      };
      const pull = await stage.forge.openPull(key("open"), draft);
      expect(await stage.tracker.ticket(pull)).toBeUndefined();
      const listed = await stage.tracker.changedSince(stage.repo, 0);
      expect(listed.map((ticket) => ticket.ref)).not.toContain(
        `${stage.repo.owner}/${stage.repo.name}#${pull.number}`,
      );
    });

    claim("a labelled open issue is listed however old it is, a plain one only when it changed", async () => {
      const labelled = await openIssue();
      const plain = await openIssue();
      await stage.people.label("tess", labelled.number, "agent-ready");
      const later = Date.parse("2100-01-01T00:00:00Z");
      const listed = (await stage.tracker.changedSince(stage.repo, later)).map((ticket) => ticket.id);
      expect(listed).toContain(`github:${stage.repo.id}#${labelled.number}`);
      expect(listed).not.toContain(`github:${stage.repo.id}#${plain.number}`);
      const all = await stage.tracker.changedSince(stage.repo, 0);
      expect(all.map((ticket) => ticket.id)).toContain(`github:${stage.repo.id}#${plain.number}`);
      expect(all.map((ticket) => ticket.updatedAt)).toEqual(
        all.map((ticket) => ticket.updatedAt).toSorted((a, b) => a - b),
      );
    });

    claim("who set and removed a label, and when, is known from the history", async () => {
      const issue = await openIssue();
      await stage.people.label("tess", issue.number, "agent-ready");
      await stage.people.unlabel("tess", issue.number, "agent-ready");
      await stage.people.label("ada", issue.number, "agent-ready");
      const history = await stage.tracker.history(issue);
      expect(history?.labels.map(({ label, is, by }) => [label, is, by])).toEqual([
        ["agent-ready", "set", "tess"],
        ["agent-ready", "removed", "tess"],
        ["agent-ready", "set", "ada"],
      ]);
      const times = history?.labels.map(({ at }) => at) ?? [];
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(times.every((at) => at > 0)).toBe(true);
    });

    claim("done, cancelled and reopened are mirrored, each once", async () => {
      const issue = await openIssue();
      for (const [state, is] of [
        ["Done", "completed"],
        ["Cancelled", "not_planned"],
        ["In Review", "open"],
      ] as const) {
        await stage.tracker.move(key(state), issue, state);
        expect((await stage.people.seeIssue(issue.number)).is).toBe(is);
        expect(await writesOf(stage, () => stage.tracker.move(key(state), issue, state))).toBe(0);
      }
    });

    claim("labels are added and removed once, and others are left alone", async () => {
      const issue = await openIssue();
      await stage.people.label("tess", issue.number, "agent-ready");
      await stage.people.label("tess", issue.number, "bug");
      const change = { add: ["needs-spec"], remove: ["agent-ready", "harness-blocked"] } as const;
      await stage.tracker.setLabels(key("flag"), issue, change);
      expect((await stage.people.seeIssue(issue.number)).labels.toSorted()).toEqual(["bug", "needs-spec"]);
      expect(await writesOf(stage, () => stage.tracker.setLabels(key("flag"), issue, change))).toBe(0);
    });

    claim("what an issue waits for is known with how that stands", async () => {
      const [issue, open, done, given] = [
        await openIssue(),
        await openIssue(),
        await openIssue(),
        await openIssue(),
      ];
      expect(await stage.tracker.dependencies(issue)).toEqual([]);
      for (const { number } of [open, done, given]) await stage.people.dependOn("tess", issue.number, number);
      await stage.tracker.move(key("done"), done, "Done");
      await stage.tracker.move(key("given up"), given, "Cancelled");
      const { owner, name } = stage.repo;
      expect(await stage.tracker.dependencies(issue)).toEqual([
        { ref: `${owner}/${name}#${open.number}`, is: "open" },
        { ref: `${owner}/${name}#${done.number}`, is: "completed" },
        { ref: `${owner}/${name}#${given.number}`, is: "declined" },
      ]);
    });

    claim("labelling survives a lost answer", async () => {
      const issue = await openIssue();
      const change = { add: ["harness-blocked"], remove: [] } as const;
      expect(await doTwice(stage, () => stage.tracker.setLabels(key("block"), issue, change))).toBe(
        "lost once",
      );
      expect((await stage.people.seeIssue(issue.number)).labels).toEqual(["harness-blocked"]);
    });

    everyExceptionIsAClaim();
  });
}
