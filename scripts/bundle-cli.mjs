// The build binds the command line with every library it needs into a few files. A command loads up to two hundred small
// files before its first word otherwise, and finding them takes longer than running them; and an installation would be four
// times as large and take three times as long. What is loaded lazily stays apart.
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rolldown } from "rolldown";
import { lazyBuiltins } from "./lazy-builtins.mjs";
import { outside } from "./outside.mjs";

const folder = "dist/cli";

/** What is needed before any command is known, and what `ps` needs besides: most that look something up need nearly that. */
const needs = { entry: new Set(), desk: new Set() };
const learnsNeeds = {
  name: "learns-needs",
  buildEnd() {
    /** A module with all that it imports, and what that imports; nothing that is loaded lazily. */
    const closure = (name) => {
      const found = new Set([...this.getModuleIds()].filter((id) => id.endsWith(`/dist/src/${name}.js`)));
      if (found.size !== 1) throw new Error(`there is no one module called ${name}`);
      for (const id of found) for (const next of this.getModuleInfo(id)?.importedIds ?? []) found.add(next);
      return found;
    };
    // Not the file that waits for the command to end: whoever needed anything of it would wait for that as well.
    needs.entry = closure("cli/start");
    needs.desk = closure("cli/ps").difference(needs.entry);
  },
};

const bundle = await rolldown({
  input: { forgehand: "dist/src/cli.js" },
  platform: "node",
  // Its `main` looks for its own parts by a `require` that no bundler can follow.
  resolve: { alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" } },
  // Ink asks for its workbench where DEV is set, and nobody installs that.
  // A workflow file is given all of zod, as it is installed; of the copy that is bound here only what is used is left.
  external: (id, importer) =>
    (id === "zod" && importer?.endsWith("/adapters/workflows/file.js") === true) ||
    id === "react-devtools-core" ||
    outside.some((name) => id === name || id.startsWith(`${name}/`)),
  // React, which draws `top`, is twice as large for its developers.
  transform: { define: { "process.env.NODE_ENV": '"production"' } },
  plugins: [learnsNeeds, lazyBuiltins(["entry", "common"])],
  // A library of Probot's talks to Redis by `eval`; nobody here does.
  checks: { eval: false },
});
const { output } = await bundle.write({
  dir: folder,
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "[name]-[hash].js",
  // Each file costs a command a millisecond before its first word, and there would be fifty.
  codeSplitting: {
    groups: [
      { name: "entry", priority: 3, test: (id) => needs.entry.has(id) },
      { name: "zod", priority: 2, test: /[\\/]node_modules[\\/]zod[\\/]/u },
      { name: "common", priority: 1, test: (id) => needs.desk.has(id) },
    ],
  },
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
