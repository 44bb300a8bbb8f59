/** A Chromium of this host, driven over its own protocol; what a person would see and press. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium as driver, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { hashed } from "../../src/web/door.ts";
import type { Store } from "../../src/store/store.ts";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** `CHROMIUM_PATH`, or the first on PATH; undefined where there is none, and then these tests are skipped. */
export const chromiumPath: string | undefined =
  process.env["CHROMIUM_PATH"] ??
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find(canRun);

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export const launch = (): Promise<Browser> =>
  driver.launch({
    executablePath: chromiumPath ?? "",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      "--hide-scrollbars",
    ],
  });

export const sizes = {
  phone: { width: 360, height: 740 },
  tablet: { width: 768, height: 1024 },
  desk: { width: 1440, height: 900 },
} as const;

/** A page of somebody who followed a link of `forgehand open`. Whatever the browser complains of fails the test that looks. */
export interface Visitor {
  readonly page: Page;
  /** Errors of scripts, and what the policy of the page forbade. */
  readonly complaints: readonly string[];
  /** Takes complaints away that were to be expected, and says how many. */
  forget(expected: RegExp): number;
  go(path: string): Promise<void>;
  close(): Promise<void>;
}

export async function visit(
  browser: Browser,
  { url, store }: { readonly url: string; readonly store: Store },
  options: BrowserContextOptions & { readonly who?: string } = {},
): Promise<Visitor> {
  const { who = "operator:ada", ...rest } = options;
  const context = await browser.newContext({ viewport: sizes.desk, reducedMotion: "reduce", ...rest });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (said) => {
    // An answer that refuses an order is shown on the page; the browser tells of it besides.
    if (said.type() === "error" && !/status of 4\d\d/u.test(said.text())) complaints.push(said.text());
  });
  const token = crypto.randomUUID();
  await store.giveWebToken(hashed(token), who, Date.now() + 60_000);
  await page.goto(`${url}/enter?token=${token}`);
  return {
    page,
    complaints,
    forget: (expected) => {
      const rest = complaints.filter((one) => !expected.test(one));
      return complaints.splice(0, complaints.length, ...rest).length - rest.length;
    },
    go: async (path) => {
      await page.goto(`${url}${path}`);
    },
    close: () => context.close(),
  };
}
