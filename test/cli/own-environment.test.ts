import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openKeychain } from "../../src/adapters/keychain.ts";
import { ownEnvironment, ownSettingsFile } from "../../src/cli/own-environment.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "own-"));
  mkdirSync(join(home, ".config", "forgehand"), { recursive: true });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));
const keep = (text: string, mode = 0o600): void => {
  const path = ownSettingsFile({ HOME: home });
  writeFileSync(path, text);
  chmodSync(path, mode);
};
const codeOf = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("what forgehand was told", () => {
  test("is the process's environment where there is no file", () => {
    expect(ownEnvironment({ HOME: home, FORGEHAND_PORT: "1" })).toEqual({ HOME: home, FORGEHAND_PORT: "1" });
  });
  test("is completed from the file", () => {
    keep("FORGEHAND_PORT=1\nFORGEHAND_HOST=::1\n");
    expect(ownEnvironment({ HOME: home, FORGEHAND_PORT: "2" })).toEqual({
      HOME: home,
      FORGEHAND_PORT: "2",
      FORGEHAND_HOST: "::1",
    });
  });
  test.each([
    [0o640, "its group"],
    [0o604, "everybody"],
  ])("is refused while the file is open to others (%o)", (mode, who) => {
    keep("FORGEHAND_PORT=1\n", mode);
    expect(codeOf(() => ownEnvironment({ HOME: home }))).toMatchObject({
      code: "settings-file-open",
      values: { who },
    });
  });
  test("is refused with the line that is none, without its words", () => {
    keep("FORGEHAND_PORT=1\nhush\n");
    const error = codeOf(() => ownEnvironment({ HOME: home }));
    expect(error).toMatchObject({ code: "settings-file-wrong", values: { line: 2 } });
    expect(String(error)).not.toContain("hush");
  });
  test("takes secrets out of the keychain where the file points there", () => {
    keep("FORGEHAND_PRIVATE_KEY_KEYCHAIN=github-app-7\n");
    const kept = {
      get: (name: string) => (name === "github-app-7" ? "the key" : undefined),
      set: () => undefined,
    };
    expect(ownEnvironment({ HOME: home }, () => kept)).toEqual({
      HOME: home,
      FORGEHAND_PRIVATE_KEY: "the key",
    });
    keep("FORGEHAND_PRIVATE_KEY_KEYCHAIN=another\n");
    expect(codeOf(() => ownEnvironment({ HOME: home }, () => kept))).toMatchObject({
      code: "keychain-empty",
    });
  });
  test("says so when there is no keychain, with the way that needs none", () => {
    const absent = () =>
      openKeychain(() => {
        throw new Error("Cannot find module '@napi-rs/keyring'\nRequire stack: …");
      });
    keep("FORGEHAND_PRIVATE_KEY_KEYCHAIN=github-app-7\n");
    const error = codeOf(() => ownEnvironment({ HOME: home }, absent));
    expect(error).toMatchObject({ code: "keychain-unusable" });
    expect(String(error)).toContain("without --keychain");
    expect(String(error)).not.toContain("Require stack");
  });
});
