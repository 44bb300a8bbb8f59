/** Writes what is generated from code with `--write`; otherwise fails when a file has drifted. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { tableText } from "./table-text.ts";

const generated: readonly { readonly path: string; readonly text: () => string }[] = [
  { path: "src/state-machine/table.md", text: tableText },
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
  if (process.argv.includes("--write")) {
    writeFileSync(file, text());
  } else if (current(file) !== text()) {
    process.stderr.write(
      `${path} does not match the code: run \`node scripts/check-generated.ts --write\`\n`,
    );
    process.exitCode = 1;
  }
}
