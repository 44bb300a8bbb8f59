// A command loads up to two hundred small files before its first word, and finding them takes longer than running them. The
// build binds the command line, with the small libraries every command needs, into a few: what is loaded lazily stays apart.
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rolldown } from "rolldown";

const folder = "dist/cli";
const bound = ["@commander-js/extra-typings", "commander", "fastest-levenshtein", "zod"];

const bundle = await rolldown({
  input: { forgehand: "dist/src/cli.js" },
  platform: "node",
  external: (id) => !/^[./]/u.test(id) && !bound.includes(id),
});
const { output } = await bundle.write({
  dir: folder,
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "[name]-[hash].js",
});
await bundle.close();
chmodSync(`${folder}/forgehand.js`, 0o755);
// What is the same stays in place all the while: a program may be running from here.
const written = new Set(output.map(({ fileName }) => fileName));
for (const name of readdirSync(folder)) if (!written.has(name)) rmSync(`${folder}/${name}`);
const licences = bound.map((name) => {
  const file = readdirSync(`node_modules/${name}`).find((entry) => /^licen[cs]e/iu.test(entry));
  return `${name}\n\n${readFileSync(`node_modules/${name}/${file}`, "utf8")}`;
});
writeFileSync(`${folder}/LICENSES.txt`, licences.join("\n\n"));
