import { describe, expect, test } from "vitest";
import { defaultConfig } from "./config.ts";
import { readConfig } from "./config-file.ts";
import { rulesIn } from "./config-rules.ts";

const strict = "merge: { after_approval: false }\npaths: { protected: [db/**] }\n";
const wrong = "merge: { after_approval: perhaps, method: rebase }\n";
const careful =
  "---\nname: builder\ndescription: careful\nroles: [build]\ntools: { deny: [shell] }\n---\nBe careful.\n";
const at = "c".repeat(40);
const sound = { config: strict, personas: { builder: careful }, at };

describe("what holds in a repository", () => {
  test("is what its files say when nothing is wrong with them, or the defaults", () => {
    const now = rulesIn({ config: strict, personas: {}, sound: undefined });
    expect(now).toMatchObject({ config: readConfig(strict).config, problems: [], soundAt: undefined });
    expect(rulesIn({ config: undefined, personas: {}, sound }).config).toEqual(defaultConfig());
  });

  test.each([
    [wrong, { builder: careful }],
    ["paths: [\n", {}],
    ["- a list\n", {}],
    [undefined, { builder: "no front matter" }],
    [undefined, { builder: null }],
  ])("is what was sound last, whole, beside %j and %j", (config, personas) => {
    const held = rulesIn({ config, personas, sound });
    expect(held.problems).not.toEqual([]);
    expect(held).toMatchObject({ config: readConfig(strict).config, soundAt: at });
    expect(held.personas.get("builder")?.tools?.deny).toEqual(["shell"]);
  });

  test.each([undefined, { config: "mergee: {}\n", personas: {}, at }])(
    "leaves every merge to people where nothing was ever sound: %j",
    (never) => {
      const { config, soundAt } = rulesIn({ config: wrong, personas: {}, sound: never });
      expect(config.merge).toMatchObject({ after_approval: false, method: "rebase" });
      expect(config.paths.protected).toEqual(["**"]);
      expect(soundAt).toBeUndefined();
    },
  );
});
