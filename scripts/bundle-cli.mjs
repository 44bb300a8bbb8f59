// The build binds the command line with every library it needs into a few files. A command loads up to two hundred small
// files before its first word otherwise, and finding them takes longer than running them; and an installation would be four
// times as large and take three times as long. What is loaded lazily stays apart.
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rolldown } from "rolldown";
import { outside } from "./outside.mjs";

const folder = "dist/cli";

const bundle = await rolldown({
  input: { forgehand: "dist/src/cli.js" },
  platform: "node",
  // Its `main` looks for its own parts by a `require` that no bundler can follow.
  resolve: { alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" } },
  // Ink asks for its workbench where DEV is set, and nobody installs that.
  external: (id) =>
    id === "react-devtools-core" || outside.some((name) => id === name || id.startsWith(`${name}/`)),
  // React, which draws `top`, is twice as large for its developers.
  transform: { define: { "process.env.NODE_ENV": '"production"' } },
  // A library of Probot's talks to Redis by `eval`; nobody here does.
  checks: { eval: false },
});
const { output } = await bundle.write({
  dir: folder,
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "[name]-[hash].js",
});
await bundle.close();
// It would be looked for beside the bundle, and only when somebody needs it.
const unbound = output.flatMap(({ code = "" }) => code.match(/\brequire\(["']\.{1,2}\/[^"']*["']\)/gu) ?? []);
if (unbound.length > 0) throw new Error(`the build leaves out what it needs: ${unbound.join(", ")}`);
chmodSync(`${folder}/forgehand.js`, 0o755);
// What is the same stays in place all the while: a program may be running from here.
const written = new Set(output.map(({ fileName }) => fileName));
for (const name of readdirSync(folder)) if (!written.has(name)) rmSync(`${folder}/${name}`);

/** The folder of the package that a module comes from, by the path of the module. */
const packageFolder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/u;
const folders = new Set(
  output.flatMap(({ modules = {} }) => Object.keys(modules)).flatMap((id) => packageFolder.exec(id) ?? []),
);
/** Name, version and licence of what is bound, with its text where the package carries one. */
const licences = [...folders].map((from) => {
  const { name, version, license } = JSON.parse(readFileSync(`${from}/package.json`, "utf8"));
  const file = readdirSync(from).find((entry) => /^licen[cs]e/iu.test(entry));
  const text = file === undefined ? "" : `\n\n${readFileSync(`${from}/${file}`, "utf8").trim()}`;
  return `${name} ${version} (${license})${text}`;
});
writeFileSync(`${folder}/LICENSES.txt`, `${licences.toSorted().join(`\n\n${"-".repeat(72)}\n\n`)}\n`);
