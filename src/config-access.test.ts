import { expect, test } from "vitest";
import { readEnvironment } from "./config-environment.ts";

const accessOf = (env: Record<string, string>) => readEnvironment(env, () => "").access;

test.each([
  ["https://forgehand.example", "https://forgehand.example"],
  ["https://Forgehand.Example:8443/", "https://forgehand.example:8443"],
  ["http://127.0.0.1:3000", "http://127.0.0.1:3000"],
  ["http://localhost:3000/", "http://localhost:3000"],
])("the public address %s is %s", (text, origin) => {
  expect(accessOf({ FORGEHAND_PUBLIC_URL: text })?.publicUrl).toBe(origin);
});

test.each([
  ["forgehand.example", "https URL"],
  ["http://forgehand.example", "https is expected"],
  ["ftp://forgehand.example", "https is expected"],
  ["https://ada:secret@forgehand.example", "credentials"],
  ["https://forgehand.example/dashboard", "without a path"],
  ["https://forgehand.example/?x=1", "without a path"],
  ["", "https URL"],
])("the public address %j is refused", (text, why) => {
  expect(() => accessOf({ FORGEHAND_PUBLIC_URL: text })).toThrow(why);
});

test("a login takes both, the client's id and its secret", () => {
  const both = { FORGEHAND_CLIENT_ID: "Iv23liabc", FORGEHAND_CLIENT_SECRET: "0123456789abcdef" };
  expect(accessOf(both)?.client).toEqual({ id: "Iv23liabc", secret: "0123456789abcdef" });
  expect(accessOf({ FORGEHAND_CLIENT_ID: "Iv23liabc" })?.client).toBeUndefined();
  expect(accessOf({})).toEqual({ publicUrl: undefined, client: undefined });
});

test("neither is repeated where it is wrong", () => {
  expect(() => accessOf({ FORGEHAND_CLIENT_SECRET: "short1" })).toThrow(/^(?!.*short1)/su);
  expect(() => accessOf({ FORGEHAND_CLIENT_ID: "an id" })).toThrow("the client id");
});
