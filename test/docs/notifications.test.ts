/** Every URL that the page on notifications shows is one that forgehand takes, and every option it lists is one. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readChannel } from "../../src/config-notify.ts";
import { notifyServices } from "../../src/config-notify-services.ts";
import { notifyKinds } from "../../src/ports-notify.ts";

const page = readFileSync(new URL("../../docs/notifications.md", import.meta.url), "utf8");
const schemes = Object.keys(notifyServices).map((scheme) => scheme.replace("+", String.raw`\+`));
const urls = [
  ...page.matchAll(new RegExp(String.raw`(?<=^|[\x60'])(?:${schemes.join("|")}):[^\s\x60']{8,}`, "gmu")),
].map(([url]) => url);

test("there is an example of every scheme", () => {
  const shown = new Set(urls.map((url) => url.slice(0, url.indexOf(":"))));
  // Told in a sentence.
  const alike = ["mailtos", "webhook+http"];
  expect(
    Object.keys(notifyServices).filter((scheme) => !shown.has(scheme) && !alike.includes(scheme)),
  ).toEqual([]);
});

test.each(urls)("%s is taken", (url) => {
  expect(readChannel(url)).toHaveProperty("target");
});

test("every option of the table is taken with the value it is shown with", () => {
  const options = [...page.matchAll(/^\| `([a-z]+=[^`]+)` \|/gmu)].map(([, option = ""]) => option);
  expect(options.length).toBeGreaterThan(6);
  for (const option of options)
    expect([option, "target" in readChannel(`ntfy://topic?${option}`)]).toEqual([option, true]);
});

test("every event is told of", () => {
  for (const kind of notifyKinds) expect(page).toContain(`| \`${kind}\` |`);
});
