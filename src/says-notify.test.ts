import { expect, test } from "vitest";
import { titleWords, whyWords } from "./says-notify.ts";

const key = `sk-ant-${"a1B2".repeat(10)}`;
test.each([
  ["a reason", whyWords, `the runtime says: invalid key ${key}`],
  ["a title", titleWords, `Use ${key}`],
  ["a reason that is cut in the middle of it", whyWords, `${"x ".repeat(190)}${key}`],
])("%s leaves no secret for services elsewhere", (_name, words, text) => {
  expect(words(text)).not.toContain(key.slice(0, 12));
});
