/** What docs/api.md shows is run, line by line as it stands there, against a server on a port. */
import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { serveAt } from "../../src/serve.ts";
import { hashed } from "../../src/web/door.ts";
import { noon, openStage } from "./stage.ts";

const run = promisify(execFile);
const page = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");
const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gmu)]
  .map(([, body = ""]) => body)
  .filter((body) => body.includes("curl"));

test("the examples of docs/api.md do what it says", async () => {
  const stage = await openStage();
  const app = stage.open();
  const token = "fh_the_token_that_was_told";
  await stage.store.keepApiToken(hashed(token), {
    name: "ci",
    scope: "act",
    repos: undefined,
    madeBy: "operator:ada",
    madeAt: noon,
    expiresAt: undefined,
  });
  const served = await serveAt((request) => app.app.fetch(request), { host: "127.0.0.1", port: 0 });
  try {
    const [asking = "", ordering = "", following = ""] = blocks.map((block) =>
      block.replaceAll("http://127.0.0.1:3000", served.url),
    );
    const head = asking.slice(0, asking.indexOf("curl"));
    const told = async (script: string): Promise<readonly unknown[]> => {
      const { stdout } = await run("/bin/sh", ["-ec", `curl() { command curl -w '\\n' "$@"; }\n${script}`]);
      return stdout
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line): unknown => JSON.parse(line));
    };
    expect(await told(asking)).toMatchObject([
      { counts: { retrying: 1, blocked: 1 } },
      { tickets: [{ state: "Rework" }, { state: "Blocked" }] },
      { id: "github:77#6" },
      { issue_identifier: "acme/web#6", status: "waiting" },
    ]);
    expect(await told(`${head}${ordering}`)).toMatchObject([
      { is: "taken", to: "Merging" },
      { is: "taken", to: "In Review" },
    ]);
    const end = (await stage.store.ledgerHead()).seq;
    // Without an end of its own, so it is ended once it has told all there is.
    const child = spawn("/bin/sh", ["-c", `${head}exec ${following}`]);
    let heard = "";
    for await (const piece of child.stdout) {
      heard += String(piece);
      if (heard.includes(`id: ${end}\n`)) break;
    }
    child.kill();
    expect([...heard.matchAll(/^id: (\d+)$/gmu)].map(([, id]) => Number(id))).toEqual(
      Array.from({ length: end }, (_, index) => index + 1),
    );
  } finally {
    app.stop();
    await served.stop();
    stage.close();
  }
});
