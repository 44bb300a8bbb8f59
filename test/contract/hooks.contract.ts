import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Repo } from "../../src/ports.ts";
import type { Hooks } from "../../src/ports-hooks.ts";

/** One attempt of the forge to tell us something. */
export interface Told {
  readonly guid: string;
  readonly name: string;
  readonly payload: unknown;
  readonly at: number;
  readonly arrived: boolean;
}
/** A forge whose deliveries and files a test may set. */
export interface HooksStage {
  readonly hooks: Hooks;
  readonly repo: Repo;
  readonly head: string;
  tell(told: Told): void;
  /** A file at the tip of the default branch. */
  keep(path: string, text: string): void;
  close(): Promise<void>;
}

const at = Date.parse("2026-03-01T12:00:00Z");

/** What every Hooks promises. */
export function hooksContract(name: string, open: () => Promise<HooksStage>): void {
  describe(`Hooks: ${name}`, () => {
    let stage: HooksStage;
    beforeEach(async () => {
      stage = await open();
    });
    afterEach(() => stage.close());
    const tell = (guid: string, minute: number, arrived: boolean): void =>
      stage.tell({ guid, name: "issues", payload: { of: guid, minute }, at: at + minute * 60_000, arrived });
    const missed = async (known: readonly string[] = []): Promise<readonly string[]> =>
      (await stage.hooks.missed(at, (guid) => known.includes(guid))).map(({ guid }) => guid);

    test("what never arrived is told oldest first, what arrived is not", async () => {
      tell("b", 2, false);
      tell("fine", 1, true);
      tell("a", 0, false);
      expect(await missed()).toEqual(["a", "b"]);
      expect(await stage.hooks.missed(at, () => false)).toMatchObject([
        { guid: "a", name: "issues", payload: { of: "a" } },
        { guid: "b", name: "issues", payload: { of: "b" } },
      ]);
    });

    test("a delivery that failed and arrived on a later attempt is not missed", async () => {
      tell("a", 0, false);
      tell("a", 5, true);
      expect(await missed()).toEqual([]);
    });

    test("a delivery that failed twice is told once, in its first place", async () => {
      tell("a", 0, false);
      tell("b", 1, false);
      tell("a", 2, false);
      expect(await missed()).toEqual(["a", "b"]);
    });

    test("what we have already, or what is too old, is left out", async () => {
      tell("old", -60, false);
      tell("known", 1, false);
      tell("new", 2, false);
      expect(await missed(["known"])).toEqual(["new"]);
    });

    test("more deliveries than one page holds are all walked", async () => {
      for (let n = 0; n < 230; n++) tell(`d${n}`, n, n % 2 === 0);
      expect(await missed()).toHaveLength(115);
    });

    test("a file is told with the tip it was read at, and so is its absence", async () => {
      stage.keep(".github/forgehand.yml", "limits: {}\n");
      expect(await stage.hooks.file(stage.repo, ".github/forgehand.yml")).toEqual({
        text: "limits: {}\n",
        at: stage.head,
      });
      expect(await stage.hooks.file(stage.repo, "missing.yml")).toEqual({ text: undefined, at: stage.head });
      const pinned = await stage.hooks.file(stage.repo, ".github/forgehand.yml", stage.head);
      expect(pinned.at).toBe(stage.head);
    });

    test("the Markdown files right in a folder are told by name, and a folder that is not there as empty", async () => {
      stage.keep("personas/builder.md", "one");
      stage.keep("personas/reviewer.md", "two");
      stage.keep("personas/notes.txt", "no Markdown");
      stage.keep("personas/deeper/other.md", "deeper");
      const { at } = await stage.hooks.file(stage.repo, "personas/builder.md");
      const found = await stage.hooks.folder(stage.repo, "personas", at);
      expect([...found]).toEqual([
        ["builder", "one"],
        ["reviewer", "two"],
      ]);
      expect(await stage.hooks.folder(stage.repo, "missing", at)).toEqual(new Map());
    });

    test("every repository of the App is listed, and the App knows itself", async () => {
      expect(await stage.hooks.repos()).toEqual([stage.repo]);
      expect((await stage.hooks.standing()).app).toBe("forgehand");
    });
  });
}
