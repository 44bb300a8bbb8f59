import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { run } from "./run.ts";

const dir = mkdtempSync(join(tmpdir(), "demo-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Names of the cards in each column, as the board stood when it was shown. */
function boards(said: string): readonly Readonly<Record<string, readonly string[]>>[] {
  const lines = said.split("\n");
  return lines.flatMap((rule, at) => {
    if (!/^ {2}─/u.test(rule)) return [];
    const columns = [...rule.matchAll(/─+/gu)].map(({ index, 0: { length } }) => {
      const heads = [lines[at - 2], lines[at - 1]].map((head = "") =>
        head.slice(index, index + length).trim(),
      );
      const inside: string[] = [];
      for (let row = at + 1; /ENG-/u.test(lines[row] ?? ""); row += 1) {
        const cell = lines[row]?.slice(index, index + length).trim() ?? "";
        if (cell !== "") inside.push(cell);
      }
      return [heads.join(" ").trim(), inside] as const;
    });
    return [Object.fromEntries(columns.filter(([, inside]) => inside.length > 0))];
  });
}

describe("demo", () => {
  test("takes cards of a Linear board to merged pull requests, and sends a vague one back", async () => {
    const { code, out, err } = await run(["demo", "--tracker", "linear", "--dir", dir, "--json"]);
    const { schema, data, error } = JSON.parse(out) as {
      readonly schema: string;
      readonly data: Readonly<Record<string, unknown>>;
      readonly error: unknown;
    };
    expect(error, err).toBeNull();
    expect(schema).toBe("demo/1");
    expect(data).toMatchObject({
      good: true,
      tracker: "linear",
      merged: ["ENG-1", "ENG-3"],
      flagged: true,
      finished: true,
      tests: "pass",
    });
    expect(code).toBe(0);
    const shown = boards(err);
    expect(shown[0]).toEqual({ Backlog: ["ENG-1", "ENG-2", "ENG-3"] });
    expect(shown[1]).toMatchObject({ "In Review": ["ENG-1"] });
    expect(shown[2]).toEqual({ Backlog: ["ENG-2*"], "In Review": ["ENG-3"], Done: ["ENG-1"] });
    expect(shown[3]).toEqual({ Backlog: ["ENG-2*"], Done: ["ENG-1", "ENG-3"] });
    expect(err).toContain("drags ENG-3 to Merging");
    expect(err).toMatch(/ENG-2 +needs What: /u);
    expect(err).toMatch(/reviewer +had found: .*Math\.floor loses cents/u);
    expect(err.match(/links Pull request #\d+: merged · acme\/shop · .*\$0\.\d\d of/gu)).toHaveLength(2);
    const explained = await run(["explain", "ENG-2", "--database", String(data["database"])]);
    expect(explained.out).toContain("Backlog");
  }, 120_000);

  test("names the trackers there are when it is given another", async () => {
    const { code, err } = await run(["demo", "--tracker", "jira"]);
    expect(code).toBe(4);
    expect(err).toContain("Allowed choices are github, linear");
  });
});
