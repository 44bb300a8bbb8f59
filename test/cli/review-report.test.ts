/** What `forgehand review` leaves behind: its report, and a repository as it was. */
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  fails,
  finding,
  openStand,
  passes,
  reported,
  type ReviewStand,
  type Reported,
} from "./review-stand.ts";

let stand: ReviewStand;
beforeEach(() => {
  stand = openStand();
});
afterEach(() => stand.close());

const json = (...argv: readonly string[]): Promise<Reported> => reported(stand, ...argv);

interface Sarif {
  readonly version: string;
  readonly runs: readonly {
    readonly invocations: readonly { readonly executionSuccessful: boolean }[];
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
    readonly results: readonly {
      readonly level: string;
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly partialFingerprints: Readonly<Record<string, string>>;
      readonly locations: readonly { readonly physicalLocation: object }[];
    }[];
  }[];
}

/** Against the schema as OASIS publishes it; it needs of its older draft only what newer ones have too. */
function faultsOf(sarif: object): readonly unknown[] {
  const path = new URL("../fixtures/sarif/sarif-schema-2.1.0.json", import.meta.url);
  const {
    $schema: _draft,
    id: _id,
    ...schema
  } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.validate(schema, sarif);
  return ajv.errors ?? [];
}

describe("the repository", () => {
  test("is left as it was, with nothing of ours in it nor beside it", async () => {
    const objects = stand.git("count-objects", "-v");
    const refs = stand.git("for-each-ref");
    await stand.review([]);
    stand.write("loose.txt", "loose\n");
    await stand.review(["--worktree"]);
    expect(stand.git("status", "--porcelain")).toBe("?? loose.txt");
    expect(stand.git("count-objects", "-v")).toBe(objects);
    expect(stand.git("for-each-ref")).toBe(refs);
    expect(stand.git("worktree", "list").split("\n")).toHaveLength(1);
    expect(readdirSync(join(stand.dir, "state", "forgehand"))).toEqual([]);
  });

  test("may be reviewed twice at once, and neither is in the other's way", async () => {
    const here = join(stand.dir, "here");
    mkdirSync(here);
    const meets = { run: `touch ${here}/$$; until [ $(ls ${here} | wc -l) = 2 ]; do sleep 0.05; done` };
    stand.scenes(
      { role: "review", prompt: "+two", steps: [meets, fails] },
      { role: "review", prompt: "+loose", steps: [meets, passes] },
    );
    stand.write("loose.txt", "loose\n");
    const both = await Promise.all([stand.review([]), stand.review(["--worktree"])]);
    expect(both.map(({ code }) => code)).toEqual([1, 0]);
    expect(readdirSync(join(stand.dir, "state", "forgehand"))).toEqual([]);
  });

  test("says nothing about which programs review it", async () => {
    stand.write("data/agents.yml", "agents:\n  evil:\n    protocol: acp\n    command: [touch, pwned]\n");
    const { code, err } = await stand.review(["--runtime", "evil"]);
    expect(err).toContain('no runtime is called "evil"');
    expect(code).toBe(4);
  });
});

describe("the report", () => {
  test("as JSON holds the verdict, the commits and every finding", async () => {
    stand.scenes({ role: "review", steps: [{ usage: { usd: 0.25 } }, fails] });
    const [first, again] = [await json(), await json("--format", "json")];
    expect(first).toMatchObject({
      schema: "review/1",
      error: null,
      data: {
        verdict: "fail",
        exit: 1,
        summary: "Not so.",
        change: "main...HEAD",
        base: stand.git("rev-parse", "main"),
        head: stand.git("rev-parse", "HEAD"),
        pull: null,
        models: ["scripted"],
        usd: 0.25,
        posted: null,
        findings: [
          { source: "reviewer", rule: "review/correctness", grade: "blocker", path: "a.txt", line: 2 },
        ],
      },
    });
    expect(again.data.findings[0]?.id).toBe(first.data.findings[0]?.id);
  });

  test("as SARIF fits the published schema, with levels, places, rules and fingerprints", async () => {
    const others = [
      { ...finding, title: "Of the file", line: null, grade: "polish" },
      { ...finding, title: "Of it all", path: null, line: null, grade: "future", kind: null },
    ];
    const answer = { ...fails.answer, findings: [finding, ...others] };
    stand.scenes({ role: "review", steps: [{ answer }] });
    const { code, out } = await stand.review(["--format", "sarif", "--output", "review.sarif"]);
    expect(out).toContain("FAIL");
    expect(code).toBe(1);
    const sarif = JSON.parse(readFileSync(join(stand.repo, "review.sarif"), "utf8")) as Sarif;
    expect(faultsOf(sarif)).toEqual([]);
    const [run] = sarif.runs;
    const ids = run?.tool.driver.rules.map(({ id }) => id) ?? [];
    expect(run?.results.map(({ level, ruleId, ruleIndex }) => [level, ruleId, ids[ruleIndex]])).toEqual([
      ["error", "review/correctness", "review/correctness"],
      ["warning", "review/correctness", "review/correctness"],
      ["note", "review/finding", "review/finding"],
    ]);
    const places = run?.results.map(({ locations: [at] }) => at?.physicalLocation);
    expect(places).toMatchObject([
      { artifactLocation: { uri: "a.txt" }, region: { startLine: 2 } },
      { artifactLocation: { uri: "a.txt" } },
      { artifactLocation: { uri: "the-whole-change" } },
    ]);
    expect(places?.[1]).not.toHaveProperty("region");
    const prints = run?.results.map(({ partialFingerprints }) => Object.values(partialFingerprints)[0]);
    expect(new Set(prints).size).toBe(3);
    expect(faultsOf({ ...sarif, version: "2.0.0" })).not.toEqual([]);
  });

  test("of a blocked review as SARIF tells that the run did not succeed", async () => {
    stand.scenes({ role: "review", steps: [{ done: "hm" }] });
    const { code, out } = await stand.review(["--format", "sarif"]);
    const sarif = JSON.parse(out) as Sarif;
    expect(faultsOf(sarif)).toEqual([]);
    expect(sarif.runs[0]?.invocations[0]?.executionSuccessful).toBe(false);
    expect(code).toBe(7);
  });

  test("tells no secret that a reviewer found, and nothing that a terminal would obey", async () => {
    const key = `ghp_${"a1B2".repeat(9)}`;
    const told = { ...finding, title: `The key ${key}\u001b[2J`, body: key };
    stand.scenes({ role: "review", steps: [{ answer: { ...fails.answer, findings: [told] } }] });
    const { out } = await stand.review([]);
    expect(out).toContain("The key");
    expect(out).not.toContain(key);
    expect(out).not.toContain("\u001b");
  });
});
