import { describe, expect, test } from "vitest";
import { readEnvironment } from "./config-environment.ts";
import { changeSettings, oneLineKey, readSettings, underProcess } from "./settings-file.ts";

describe("the text of forgehand.env", () => {
  test("is read line by line, with comments, quotes and other programs' variables", () => {
    const text = [
      "# a comment",
      "; another",
      "",
      "FORGEHAND_APP_ID=7",
      'FORGEHAND_HOST="0.0.0.0"',
      "FORGEHAND_WEBHOOK_SECRET='a=b'",
      "ANTHROPIC_API_KEY=theirs",
    ].join("\r\n");
    expect(readSettings(text)).toEqual({
      values: { FORGEHAND_APP_ID: "7", FORGEHAND_HOST: "0.0.0.0", FORGEHAND_WEBHOOK_SECRET: "a=b" },
      faults: [],
    });
  });
  test("names the line of what it cannot read, and repeats nothing of it", () => {
    const { faults } = readSettings("FORGEHAND_APP_ID=7\nhush hush\nFORGEHAND_APP_ID=8\n");
    expect(faults).toEqual([
      { line: 2, why: "NAME=value is expected" },
      { line: 3, why: "FORGEHAND_APP_ID stands there a second time" },
    ]);
  });
  test("changes in place, and leaves a person's lines and comments where they are", () => {
    const before = "# mine\nFORGEHAND_APP_ID=7\nFORGEHAND_PORT=4000\nOTHER=1\n";
    expect(
      changeSettings(before, {
        FORGEHAND_APP_ID: "8",
        FORGEHAND_PORT: undefined,
        FORGEHAND_FEED: "pull",
        FORGEHAND_HOST: undefined,
      }),
    ).toBe("# mine\nFORGEHAND_APP_ID=8\nOTHER=1\nFORGEHAND_FEED=pull\n");
  });
  test.each(["two\nlines", String.raw`a\nb`, "it's", '"', " edge", "edge ", ""])(
    "refuses a value that two readers would read in two ways: %j",
    (value) => {
      expect(() => changeSettings("", { FORGEHAND_X: value })).toThrow(RangeError);
    },
  );
  test("carries a key of many lines in one word, which the settings take for a key again", () => {
    const pem = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    const { values } = readSettings(changeSettings("", { FORGEHAND_PRIVATE_KEY: oneLineKey(pem) }));
    expect(Buffer.from(values["FORGEHAND_PRIVATE_KEY"] ?? "", "base64").toString()).toBe(pem.trim());
    const damaged = () =>
      readEnvironment({ ...values, FORGEHAND_APP_ID: "7", FORGEHAND_WEBHOOK_SECRET: "s" }, () => "");
    // It got as far as reading the key: the body of this one is none.
    expect(damaged).toThrow(/damaged, cut off or encrypted/u);
  });
});

describe("the process wins over the file", () => {
  const file = { FORGEHAND_PRIVATE_KEY: "of the file", FORGEHAND_PORT: "1", FORGEHAND_LINEAR_FILE: "a.yml" };
  test.each([
    [
      { FORGEHAND_PRIVATE_KEY_FILE: "/k" },
      { FORGEHAND_PRIVATE_KEY_FILE: "/k", ...without("FORGEHAND_PRIVATE_KEY") },
    ],
    [{ FORGEHAND_PORT: "2" }, { ...file, FORGEHAND_PORT: "2" }],
    [{ FORGEHAND_PORT: undefined }, { ...file, FORGEHAND_PORT: undefined }],
    [{ PATH: "/bin" }, { ...file, PATH: "/bin" }],
  ])("%o", (env, merged) => {
    expect(underProcess(env, file)).toEqual(merged);
  });
  test("in whatever way the file says it", () => {
    const ways = { FORGEHAND_PRIVATE_KEY_KEYCHAIN: "app-7", FORGEHAND_WEBHOOK_SECRET_FILE: "/s" };
    const env = { FORGEHAND_PRIVATE_KEY: "direct", FORGEHAND_WEBHOOK_SECRET: "s" };
    expect(underProcess(env, ways)).toEqual(env);
  });
  function without(name: keyof typeof file) {
    return Object.fromEntries(Object.entries(file).filter(([one]) => one !== name));
  }
});
