// Zod comes as ninety small files, nearly half of what a command loads, and most of them are translations that nothing
// here uses. The build binds it into one file and lets the built code import that; sources and types name `zod`.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { rolldown } from "rolldown";

const file = "dist/vendor/zod.js";
const bundle = await rolldown({
  input: "zod",
  platform: "node",
  plugins: [
    {
      name: "without translations",
      load: (id) => (id.endsWith("/locales/index.js") ? "export {};" : undefined),
    },
  ],
});
await bundle.write({ file, format: "esm" });
await bundle.close();

for (const entry of readdirSync("dist", { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith(".js")) continue;
  const path = join(entry.parentPath, entry.name);
  const text = readFileSync(path, "utf8");
  const own = `./${relative(dirname(path), file)}`.replace("./../", "../");
  const bound = text.replace(/^(import [^;]*? from )"zod";$/gmu, (_, start) => `${start}"${own}";`);
  if (bound !== text) writeFileSync(path, bound);
}
