import { readdirSync, readFileSync } from "node:fs";
import { parse, validate } from "graphql";
import { expect, test } from "vitest";
import { linearSchema } from "../../src/simulator/linear/schema.ts";

const folder = new URL("../../src/adapters/linear/", import.meta.url);
const modules = readdirSync(folder).filter((name) => name.endsWith(".ts") && !name.includes(".test."));

interface Sent {
  readonly name: string;
  readonly text: string;
}
const isSent = (one: unknown): one is Sent =>
  typeof one === "object" && one !== null && "name" in one && "text" in one && typeof one.text === "string";

test("every document of every module that speaks to Linear is valid against its schema, and none is hidden", async () => {
  const wrong: string[] = [];
  let sent = 0;
  for (const file of modules) {
    const exported = (await import(new URL(file, folder).href)) as Readonly<Record<string, unknown>>;
    const documents = Object.values(exported).filter((one) => isSent(one));
    sent += documents.length;
    for (const { name, text } of documents)
      for (const { message } of validate(linearSchema(), parse(text)))
        wrong.push(`${file} ${name}: ${message}`);
    // What is not exported would not be looked at.
    const made = readFileSync(new URL(file, folder), "utf8").match(/= document\(/gu)?.length ?? 0;
    if (made !== documents.length)
      wrong.push(`${file} makes ${made} documents and exports ${documents.length}`);
  }
  expect(wrong).toEqual([]);
  expect(sent).toBeGreaterThan(25);
});

test("what the sign-in asks is valid too", () => {
  const source = readFileSync(new URL("oauth.ts", folder), "utf8");
  const queries = source.match(/(?<=["'`])(?:query\b[^"'`]*|\{ ?viewer[^"'`]*)(?=["'`])/gu) ?? [];
  expect(queries.length).toBeGreaterThan(0);
  for (const text of queries) expect(validate(linearSchema(), parse(text))).toEqual([]);
});
