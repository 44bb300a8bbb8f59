/**
 * Every page in a real browser: at three widths and in both themes nothing overflows, axe finds nothing, no script fails
 * and no policy is broken. With `SCREENSHOTS=<folder>` each is drawn there too.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, launch, sizes, visit, type Visitor } from "./chromium.ts";
import { pagesOf, type PageSpec } from "./pages.ts";
import { openTown, type Town } from "./town.ts";

const pictures = process.env["SCREENSHOTS"];

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What WCAG 2.2 AA forbids and axe sees. */
async function violationsOn(page: Page): Promise<readonly string[]> {
  // Evaluated by the driver, which no policy of the page stops.
  await page.evaluate(axe.source);
  const found = await page.evaluate<readonly Violation[]>(
    `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }).then(({ violations }) => violations)`,
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(
      ({ html, failureSummary = "" }) =>
        `${id}: ${html.slice(0, 160)} (${failureSummary.replaceAll(/\s+/gu, " ")})`,
    ),
  );
}

/** Elements that reach over the right edge, unless they lie in something that scrolls by itself. */
const overflowOn = async (page: Page): Promise<readonly string[]> =>
  await page.evaluate<readonly string[]>(`(() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (node) => node !== null && node !== document.body &&
      (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(node).overflowX) || scrolls(node.parentElement));
    const isOver = (node) => node.getBoundingClientRect().right > width + 1 && node.getClientRects().length > 0;
    return [
      ...(document.documentElement.scrollWidth > width ? ["the page is " + document.documentElement.scrollWidth + " wide"] : []),
      ...[...document.body.querySelectorAll("*")]
        .filter((node) => isOver(node) && ![...node.children].some(isOver) && !scrolls(node.parentElement))
        .slice(0, 5)
        .map((node) => "overflows: " + node.outerHTML.replaceAll(/\\s+/g, " ").slice(0, 160)),
    ];
  })()`);

describe.skipIf(chromiumPath === undefined)("pages in a browser", () => {
  let town: Town;
  let browser: Browser;
  let specs: readonly PageSpec[];
  beforeAll(async () => {
    [town, browser] = await Promise.all([openTown(), launch()]);
    specs = pagesOf(town);
    if (pictures !== undefined) mkdirSync(pictures, { recursive: true });
  });
  afterAll(async () => {
    await browser.close();
    await town.world.close();
  });

  const schemes = ["light", "dark"] as const;
  test.each(
    schemes.flatMap((scheme) =>
      (Object.keys(sizes) as (keyof typeof sizes)[]).map((size) => ({ scheme, size })),
    ),
  )(
    "$scheme at the size of a $size: nothing overflows, nothing is out of reach, nothing fails",
    async ({ scheme, size }) => {
      const visitor: Visitor = await visit(browser, town.world.forgehand, {
        colorScheme: scheme,
        viewport: sizes[size],
      });
      const faults: string[] = [];
      for (const { name, path, shows, onPhone = false } of specs) {
        await visitor.go(path);
        await visitor.page.getByText(shows).first().waitFor({ state: "attached" });
        const told = [...(await overflowOn(visitor.page)), ...(await violationsOn(visitor.page))];
        faults.push(...told.map((one) => `${name}: ${one}`));
        if (pictures !== undefined && (size === "desk" || (size === "phone" && onPhone)))
          await visitor.page.screenshot({
            path: join(pictures, `${name}-${size}-${scheme}.png`),
            fullPage: true,
          });
      }
      expect([...faults, ...visitor.complaints]).toEqual([]);
      await visitor.close();
    },
  );
});
