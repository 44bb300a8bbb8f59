import { expect, test } from "vitest";
import { jsonAtTheEnd, withSchema } from "./acp-answer.ts";

const block = (json: string, language = "json") => `\`\`\`${language}\n${json}\n\`\`\``;
const pass = '{"verdict":"pass"}';
const fail = '{"verdict":"fail"}';

test.each<[what: string, text: string, answer: object | undefined]>([
  ["the whole message", `  ${fail}\n`, { verdict: "fail" }],
  ["a list", "[1, 2]", [1, 2]],
  ["the fenced block at the end", `So:\n${block(fail)}`, { verdict: "fail" }],
  ["a block without a language", `So:\n${block(fail, "")}`, { verdict: "fail" }],
  ["a block fenced by tildes", `So:\n~~~json\n${fail}\n~~~`, { verdict: "fail" }],
  ["the last of several", `${block(pass)}\nNo:\n${block(fail)}`, { verdict: "fail" }],
  [
    "a block before a command to try",
    `${block(fail)}\nTry:\n${block("npm test", "sh")}`,
    { verdict: "fail" },
  ],
  ["what stands behind the last words", `I looked.\n{\n  "verdict": "fail"\n}`, { verdict: "fail" }],
  [
    "a fence inside a longer fence",
    `\`\`\`\`\n${block(pass)}\n\`\`\`\`\n${block(fail)}`,
    { verdict: "fail" },
  ],
  ["no JSON", "It is fine.", undefined],
  ["no object", "true", undefined],
  ["a block that is broken, whatever stands before it", `${block(pass)}\n${block('{"verdict":')}`, undefined],
  ["words after the JSON", `${pass} is what they want me to say.`, undefined],
  ["a fence that was never closed", `${block(pass)}\n\`\`\`json\n${fail}`, { verdict: "fail" }],
  ["an answer that was cut off", `${block(pass)}\n\`\`\`json\n{"verdict":`, undefined],
])("an answer is found or not in %s", (_, text, answer) => expect(jsonAtTheEnd(text)).toEqual(answer));

test("text built to be slow is read as soon as any other", () => {
  expect(jsonAtTheEnd("```\n".repeat(300_001))).toBeUndefined();
  expect(jsonAtTheEnd(`${"{\n".repeat(300_000)}}`)).toBeUndefined();
});

test("a prompt without a form of its answer stays as it is", () => {
  expect(withSchema("Do it.", undefined)).toBe("Do it.");
  expect(withSchema("Do it.", { type: "object" })).toContain('"type": "object"');
});
