/** Writes what is generated from code with `--write`; otherwise fails when a file has drifted. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { helpAnswer } from "../src/says.ts";
import { configJsonSchema } from "../src/config-file.ts";
import { RepoConfig } from "../src/config-schema.ts";
import { refusalsText, routesText } from "./api-text.ts";
import { commandLineText } from "./command-line-text.ts";
import { documentOf } from "../src/web/api/document.ts";
import { describedOperations } from "../src/web/api/operations.ts";
import { configurationText } from "./configuration-text.ts";
import { labelsText } from "./labels-text.ts";
import { metricsText } from "./metrics-text.ts";
import { exitCodesText, problemsText } from "./problems-text.ts";
import { withRegions } from "./regions.ts";
import { tableText } from "./table-text.ts";

interface Generated {
  readonly path: string;
  /** The whole file, from what stands there now where parts of it are written by hand. */
  readonly text: (now: string) => string;
}

/** A table that a comment shows, without the sentence above it. */
const tableOf = (text: string): string => text.slice(text.indexOf("\n|") + 1);

const generated: readonly Generated[] = [
  { path: "src/state-machine/table.md", text: tableText },
  { path: "src/config-default.json", text: () => `${JSON.stringify(RepoConfig.parse({}), null, 2)}\n` },
  { path: "schema/forgehand.v1.json", text: () => `${JSON.stringify(configJsonSchema(), null, 2)}\n` },
  {
    path: "schema/openapi.json",
    text: () => `${JSON.stringify(documentOf(describedOperations()), null, 2)}\n`,
  },
  {
    path: "docs/api.md",
    text: (now) => withRegions(now, { refusals: refusalsText(), routes: routesText(describedOperations()) }),
  },
  { path: "docs/configuration.md", text: (now) => withRegions(now, configurationText()) },
  { path: "docs/observability.md", text: (now) => withRegions(now, { metrics: metricsText() }) },
  { path: "docs/troubleshooting.md", text: (now) => withRegions(now, { problems: problemsText() }) },
  {
    path: "docs/labels-and-commands.md",
    text: (now) =>
      withRegions(now, {
        labels: labelsText(),
        "comment-commands": tableOf(helpAnswer),
        "command-line": commandLineText(),
        "exit-codes": exitCodesText(),
      }),
  },
];

function current(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw cause;
  }
}

for (const { path, text } of generated) {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  const now = current(file);
  const wanted = text(now ?? "");
  if (process.argv.includes("--write")) {
    writeFileSync(file, wanted);
  } else if (now !== wanted) {
    process.stderr.write(
      `${path} does not match the code: run \`node scripts/check-generated.ts --write\`\n`,
    );
    process.exitCode = 1;
  }
}
