import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hasScreen, openBrowser } from "./browser.ts";

test("a browser is asked only where somebody could see it", () => {
  expect(hasScreen({}, "linux")).toBe(false);
  expect(hasScreen({ DISPLAY: ":0" }, "linux")).toBe(true);
  expect(hasScreen({ WAYLAND_DISPLAY: "wayland-0" }, "linux")).toBe(true);
  expect(hasScreen({ DISPLAY: ":0", SSH_CONNECTION: "1.2.3.4" }, "linux")).toBe(false);
  expect(hasScreen({}, "darwin")).toBe(true);
  expect(hasScreen({ CI: "true" }, "darwin")).toBe(false);
});

test("it gets the address and none of our secrets", async () => {
  const dir = mkdtempSync(join(tmpdir(), "browser-"));
  const told = join(dir, "told");
  execFileSync("mkfifo", [told]);
  writeFileSync(join(dir, "xdg-open"), `#!/bin/sh\n{ echo "$1"; env; } > ${told}\n`, { mode: 0o755 });
  const env = {
    PATH: `${dir}:/usr/bin:/bin`,
    DISPLAY: ":0",
    FORGEHAND_LINEAR_CLIENT_SECRET: "honey-1",
    FORGEHAND_APP_ID: "honey-2",
    ANTHROPIC_API_KEY: "honey-3",
  };
  expect(await openBrowser("https://linear.app/x?a=1&b=2", env, "linux")).toBe(true);
  const said = await readFile(told, "utf8");
  expect(said.split("\n")[0]).toBe("https://linear.app/x?a=1&b=2");
  expect(said).toContain("DISPLAY=:0");
  expect(said).not.toContain("honey");
});

test("a desktop without an opener is no failure", async () => {
  expect(await openBrowser("https://linear.app/", { PATH: "/nowhere" }, "linux")).toBe(false);
});
