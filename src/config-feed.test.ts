import { describe, expect, test } from "vitest";
import { feedSchema } from "./config-feed.ts";

describe("where news come from", () => {
  test.each([
    ["webhook", { is: "webhook" }],
    ["pull", { is: "pull" }],
    ["smee:https://smee.io/abc", { is: "smee", url: "https://smee.io/abc" }],
    ["smee:http://127.0.0.1:9/abc", { is: "smee", url: "http://127.0.0.1:9/abc" }],
  ])("%s", (text, feed) => {
    expect(feedSchema().parse(text)).toEqual(feed);
  });
  test.each([
    "",
    "push",
    "smee:",
    "smee:smee.io/abc",
    "smee:http://smee.io/abc",
    "smee:https://me:pw@smee.io/a",
  ])("%j is refused", (text) => {
    expect(feedSchema().safeParse(text).success).toBe(false);
  });
});
