import { expect, test } from "vitest";
import { pulledHookUrl, type Feed } from "../config-feed.ts";
import { checkFeed } from "./doctor-feed.ts";

const pull: Feed = { is: "pull" };
const smee: Feed = { is: "smee", url: "https://smee.io/abc" };
test.each([
  [pull, { url: pulledHookUrl, newest: "12 s" }, ["ok", "ok"], "pull mode"],
  [pull, { url: "", newest: undefined }, ["warn"], "webhook is off"],
  [pull, { url: pulledHookUrl, newest: undefined }, ["ok", "warn"], "log of deliveries is empty"],
  [
    pull,
    { url: "https://smee.io/abc", newest: "1 s" },
    ["ok", "warn", "ok"],
    "posts everything to https://smee.io/abc",
  ],
  [smee, { url: "https://smee.io/abc", newest: "1 s" }, ["ok", "ok"], "whose operator can read them"],
  [
    smee,
    { url: "https://a.example/webhooks/github", newest: "1 s" },
    ["warn", "ok"],
    "leads to https://a.example",
  ],
])("%o with %o", (feed, facts, is, words) => {
  const found = checkFeed(feed, facts) ?? [];
  expect(found.map((one) => one.is)).toEqual(is);
  expect(found.map(({ what }) => what).join("\n")).toContain(words);
});
test("with webhooks, one that leads to nobody is no webhook", () => {
  const [found] = checkFeed(undefined, { url: pulledHookUrl, newest: "1 s" }) ?? [];
  expect(found).toMatchObject({ is: "fail", exit: 4 });
  expect(found?.what).toContain(pulledHookUrl);
});
test("with webhooks it says nothing: whether they arrive is looked at elsewhere", () => {
  expect(checkFeed(undefined, { url: "", newest: undefined })).toBeUndefined();
});
