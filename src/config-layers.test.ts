import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { layersOf, mergeLayers, toldBy, type UnderFile } from "./config-layers.ts";
import { rulesIn } from "./config-rules.ts";
import { protectedPaths } from "./config-schema.ts";

const under = (text: string, over: Partial<UnderFile> = {}): UnderFile => ({
  repo: "acme/base",
  path: ".forgehand.yml",
  text,
  at: "b".repeat(40),
  how: "extends",
  isHidden: false,
  ...over,
});
const resting = (config: string | undefined, ...files: readonly UnderFile[]) => {
  const layers = layersOf(config, {
    path: config === undefined ? undefined : ".github/forgehand.yml",
    workflow: undefined,
    under: files,
    asked: [],
    faults: [],
  });
  return { layers, ...mergeLayers(layers) };
};

describe("files that rest one upon the other", () => {
  test("the nearest wins key by key, and lists are replaced whole", () => {
    const { config, faults } = resting(
      "limits: { attempts: 7 }\nruntime: { models: { codex: near } }\npriority: { labels: [p1] }\n",
      under(
        "limits: { attempts: 2, cycles: 5 }\nruntime: { models: { codex: far, claude-code: opus } }\npriority: { labels: [a, b] }\n",
      ),
      under("limits: { cycles: 9, unreviewed: 4 }\n", { repo: "acme/deep" }),
    );
    expect(faults).toEqual([]);
    expect(config.limits).toMatchObject({ attempts: 7, cycles: 5, unreviewed: 4 });
    expect(config.runtime.models).toEqual({ codex: "near", "claude-code": "opus" });
    expect(config.priority.labels).toEqual(["p1"]);
  });

  test("what one protects, none takes back", () => {
    const { config } = resting(
      "paths: { protected: [a/**] }\n",
      under("paths: { protected: [b/**, a/**] }\n"),
    );
    expect(config.paths.protected.slice(protectedPaths.length)).toEqual(["b/**", "a/**"]);
    const names = fc.uniqueArray(fc.constantFrom("a/**", "b/**", "c/**", "d"), { maxLength: 4 });
    fc.assert(
      fc.property(names, names, names, (one, two, three) => {
        const said = (list: readonly string[]): string => `paths: { protected: ${JSON.stringify(list)} }`;
        const all = resting(said(one), under(said(two)), under(said(three), { repo: "acme/c" })).config;
        expect(new Set(all.paths.protected)).toEqual(new Set([...protectedPaths, ...one, ...two, ...three]));
      }),
      { numRuns: 50 },
    );
  });

  test("a workflow file is protected by whatever path it has", () => {
    const layers = layersOf("workflow_file: docs/flow.md\n", {
      path: ".forgehand.yml",
      workflow: { path: "docs/flow.md", text: "Do." },
      under: [],
      asked: [],
      faults: [],
    });
    expect(mergeLayers(layers).config.paths.protected).toEqual([...protectedPaths, "docs/flow.md"]);
    expect(protectedPaths).toEqual(expect.arrayContaining([".forgehand.yml", "WORKFLOW.md"]));
  });

  test("a fault below is told with its repository, and keeps what was sound in force", () => {
    const wrong = under("limits:\n  cycels: 3\n");
    const sources = { path: "x.yml", workflow: undefined, under: [wrong], asked: [], faults: [] };
    const rules = rulesIn({
      config: "extends: base\n",
      sources,
      personas: {},
      sound: { config: "limits: { cycles: 8 }\n", personas: {}, at: "c".repeat(40) },
    });
    expect(rules.problems).toEqual([
      "acme/base:.forgehand.yml:2:3: Unknown key `limits.cycels`. Did you mean `cycles`?",
    ]);
    expect(rules.config.limits.cycles).toBe(8);
  });

  test("of a file that not everybody may read, nothing is quoted", () => {
    const { faults } = resting("version: 1\n", under("limits: { attempts: hunter2 }\n", { isHidden: true }));
    expect(faults).toMatchObject([{ repo: "acme/base", line: 1 }]);
    expect(JSON.stringify(faults)).not.toMatch(/hunter2|attempts/u);
  });

  test("of what such a file names, be it a persona or another file, nothing is named either", () => {
    const sources = {
      path: ".github/forgehand.yml",
      workflow: undefined,
      under: [
        under("runtime: { personas: { review: [project-x] } }\n", { isHidden: true }),
        under("limits: many\n", { repo: "acme/project-x", isHidden: true }),
      ],
      asked: [],
      faults: [],
    };
    const { faults } = rulesIn({ config: "version: 1\n", sources, personas: {}, sound: undefined });
    expect(faults).toMatchObject([
      { repo: "acme/base", line: 1 },
      { repo: "acme/base", line: 1 },
    ]);
    expect(JSON.stringify(faults)).not.toContain("project-x");
  });

  test("what is right alone and wrong together is told at the nearest file that says it", () => {
    const { faults, config } = resting(
      "labels:\n  needs-spec: work\n",
      under("labels: { agent-ready: work }\n"),
    );
    expect(faults).toMatchObject([{ path: ".github/forgehand.yml", line: 2 }]);
    expect(config.labels["agent-ready"]).not.toBe(config.labels["needs-spec"]);
  });

  test("every value tells which line of which file says it", () => {
    const { layers, config } = resting(
      "limits:\n  attempts: 7\npaths: { protected: [a] }\n",
      under("limits: { attempts: 1, cycles: 5 }\npaths: { protected: [b] }\n", { how: "organisation" }),
    );
    const told = new Map(toldBy(config, layers).map((one) => [one.key, one]));
    expect(told.get("limits.attempts")?.from).toEqual([
      { repo: undefined, path: ".github/forgehand.yml", how: "own", line: 2, column: 3 },
    ]);
    expect(told.get("limits.cycles")?.from).toMatchObject([
      { repo: "acme/base", how: "organisation", line: 1 },
    ]);
    expect(told.get("limits.turn_minutes")?.from).toEqual([]);
    expect(told.get("paths.protected")?.from).toHaveLength(2);
  });

  test("no text at all makes rules that loosen what the file below protects", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const { config } = resting(text, under("paths: { protected: [db/**] }\n"));
        expect(config.paths.protected).toEqual(expect.arrayContaining(["db/**", ...protectedPaths]));
      }),
      { numRuns: 300 },
    );
  });
});
