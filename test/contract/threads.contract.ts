import { afterEach, beforeEach, describe, expect } from "vitest";
import type { PullRef } from "../../src/ports.ts";
import type { ReviewThread } from "../../src/ports-threads.ts";
import { claims, doTwice, key, writesOf } from "./stage.ts";
import type { Exceptions, Stage } from "./stage.ts";

/** What Forge and Voice promise of conversations on lines. */
export function threadsContract(name: string, open: () => Promise<Stage>, exceptions: Exceptions = {}): void {
  describe(`Conversations on lines: ${name}`, () => {
    let stage: Stage;
    beforeEach(async () => {
      stage = await open();
    });
    afterEach(() => stage.close());
    const { claim, everyExceptionIsAClaim } = claims(exceptions);
    const openPull = async (): Promise<{ readonly pull: PullRef; readonly head: string }> => {
      const branch = "forgehand/1-till";
      const head = await stage.people.push("ada", branch, { path: "till.ts", lines: 5 });
      const draft = { repo: stage.repo, branch, base: "main", title: "t", region: "r", draft: false };
      return { head, pull: await stage.forge.openPull(key("open"), draft) };
    };
    const at = { path: "till.ts", line: 3 };
    const only = async (pull: PullRef): Promise<ReviewThread> => {
      const [thread, ...more] = await stage.forge.threads(pull);
      if (thread === undefined || more.length > 0) throw new Error(`there are ${more.length} more`);
      return thread;
    };
    const said = ({ comments }: ReviewThread): readonly string[] =>
      comments.map(({ kind, by, body }) => `${kind} ${by}: ${body.split("\n").at(-1)}`);

    claim("a pull request nobody spoke on has none, and one that does not exist neither", async () => {
      const { pull } = await openPull();
      expect(await stage.forge.threads(pull)).toEqual([]);
      expect(await stage.forge.threads({ repo: stage.repo, number: 9999 })).toEqual([]);
    });

    claim("each is told with its place, the head it was written on, and who said what in it", async () => {
      const { pull, head } = await openPull();
      const first = await stage.people.remark("wren", pull.number, at, "Off by one?");
      const other = await stage.people.remark("rob", pull.number, { ...at, line: 5 }, "Why?");
      await stage.people.reply("tess", pull.number, first, "I think so.");
      const threads = await stage.forge.threads(pull);
      expect(threads.map(({ comments: [root] }) => root?.id)).toEqual([first, other]);
      expect(threads[0]).toMatchObject({
        path: "till.ts",
        side: "RIGHT",
        lines: { from: 3, to: 3 },
        writtenOn: head,
        resolved: false,
      });
      expect(threads.map(said)).toEqual([
        ["person wren: Off by one?", "person tess: I think so."],
        ["person rob: Why?"],
      ]);
    });

    claim("what its author or somebody else has changed is told as such", async () => {
      const { pull } = await openPull();
      const edits: readonly (readonly [string, string | undefined])[] = [
        ["no", undefined],
        ["by author", "wren"],
        ["by other", "ada"],
      ];
      for (const [, editor] of edits) {
        const id = await stage.people.remark("wren", pull.number, at, "as it was");
        if (editor !== undefined) await stage.people.editRemark(editor, pull.number, id, "as it is");
      }
      const threads = await stage.forge.threads(pull);
      expect(threads.map(({ comments: [one] }) => [one?.edited, one?.body])).toEqual([
        ["no", "as it was"],
        ["by author", "as it is"],
        ["by other", "as it is"],
      ]);
    });

    claim("one reply of ours under each marker, also when its answer was lost", async () => {
      const { pull } = await openPull();
      const root = await stage.people.remark("wren", pull.number, at, "Off by one?");
      const reply = (marker: string): Promise<void> =>
        stage.voice.replyInThread(key("settle"), pull, root, marker, `about ${marker}`);
      expect(await doTwice(stage, () => reply("thread 1-1"))).toBe("lost once");
      await reply("thread 1-2");
      expect(await writesOf(stage, () => reply("thread 1-2"))).toBe(0);
      const thread = await only(pull);
      expect(said(thread)).toEqual([
        "person wren: Off by one?",
        `forgehand ${stage.bot}: about thread 1-1`,
        `forgehand ${stage.bot}: about thread 1-2`,
      ]);
      expect(thread.comments[1]?.body.split("\n", 1)[0]).toBe("<!-- forgehand:thread 1-1 -->");
    });

    claim(
      "a stranger who copies our marker keeps no reply of ours back, and speaks as a person",
      async () => {
        const { pull } = await openPull();
        const root = await stage.people.remark("wren", pull.number, at, "Off by one?");
        await stage.people.reply("rob", pull.number, root, "<!-- forgehand:thread 1-1 -->\nFixed.");
        await stage.voice.replyInThread(key("settle"), pull, root, "thread 1-1", "It is fixed.");
        expect(said(await only(pull)).slice(1)).toEqual([
          "person rob: Fixed.",
          `forgehand ${stage.bot}: It is fixed.`,
        ]);
      },
    );

    claim(
      "a stranger who copies the marker of a finding keeps their words and their conversation",
      async () => {
        const { pull, head } = await openPull();
        const finding = { ...at, body: "off by one", id: "f1" };
        await stage.voice.postReview(key("review"), pull, head, "Verdict", [finding]);
        const body = "<!-- forgehand:finding f1 -->\nIt was like that before.";
        const id = await stage.people.remark("rob", pull.number, at, body);
        const fixed = { id: "f1", body: "~~off by one~~ fixed", thread: "resolved" } as const;
        await stage.voice.updateFindings(key("settle"), pull, [fixed]);
        const threads = await stage.forge.threads(pull);
        const theirs = threads.find(({ comments }) => comments[0]?.id === id);
        expect(theirs).toMatchObject({ resolved: false, comments: [{ by: "rob", body }] });
      },
    );

    claim("one is resolved once, and the others stay as they were", async () => {
      const { pull } = await openPull();
      await stage.people.remark("wren", pull.number, at, "One");
      await stage.people.remark("wren", pull.number, at, "Two");
      const [first] = await stage.forge.threads(pull);
      const end = (): Promise<void> => stage.voice.resolveThread(key("settle"), pull, first?.id ?? "");
      expect(await doTwice(stage, end)).toBe("lost once");
      expect((await stage.forge.threads(pull)).map(({ resolved }) => resolved)).toEqual([true, false]);
      expect(await writesOf(stage, end)).toBe(0);
    });

    claim("one that is gone needs no end", async () => {
      const { pull } = await openPull();
      expect(await writesOf(stage, () => stage.voice.resolveThread(key("s"), pull, "PRRT_0"))).toBe(0);
    });

    everyExceptionIsAClaim();
  });
}
