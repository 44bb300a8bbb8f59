/**
 * Parts of Node that cost milliseconds to load, or to be imported: the loader of modules reads every name that they export,
 * and behind some of these another part is loaded. Most commands never call them.
 */
const dear = ["node:child_process", "node:crypto", "node:fs"];

/** Builds files of these names so that they ask Node for its dear parts when they call them. */
export const lazyBuiltins = (names) => ({
  name: "lazy-builtins",
  renderChunk(code, { name }) {
    if (!names.includes(name)) return null;
    // It knows Node's own functions by a mark on them, and what stands in their place has none.
    if (code.includes("promisify"))
      throw new Error(`${name} would make a promise of a function that stands in`);
    return dear.reduce(askLater, code);
  },
});

/** What the bundler writes: `import fs, { existsSync, readFileSync as read } from "node:fs";` */
const importOf = (builtin) =>
  new RegExp(`^import (?:([\\w$]+)(?:, )?)?(?:\\{ ([^}]+) \\})? from "${builtin}";$`, "gmu");

function askLater(code, builtin) {
  return code.replaceAll(importOf(builtin), (_all, whole, list) => {
    const named = (list?.split(", ") ?? []).map((one) => {
      const [name, local = name] = one.split(" as ");
      // Such as `realpathSync.native`: what stands in for a function has nothing of its own.
      const more = Object.keys(process.getBuiltinModule(builtin)[name]).map((own) => `${local}.${own}`);
      if (
        typeof process.getBuiltinModule(builtin)[name] === "function" &&
        more.some((own) => code.includes(own))
      )
        throw new Error(`${name} of ${builtin} is asked for more than its answer`);
      return `const ${local} = ${standIn(builtin, name)};`;
    });
    return whole === undefined ? named.join("\n") : [wholeOf(code, builtin, whole), ...named].join("\n");
  });
}

/** What is called of the part as a whole. */
function wholeOf(code, builtin, local) {
  const word = local.replaceAll("$", "\\$");
  // Given away or taken apart, it would have to have every name there is.
  if (new RegExp(`(?:[=(,:[]|\\.\\.\\.)\\s*${word}\\s*[;,)}\\]]`, "u").test(code))
    throw new Error(`${builtin} is used as a whole`);
  const calls = code.matchAll(new RegExp(`(?<![\\w$.])${word}\\.(\\w+)`, "gu"));
  const names = [...new Set([...calls].map(([, name]) => name))];
  return `const ${local} = { ${names.map((name) => `${name}: ${standIn(builtin, name)}`).join(", ")} };`;
}

function standIn(builtin, name) {
  const from = `process.getBuiltinModule("${builtin}").${name}`;
  const value = process.getBuiltinModule(builtin)[name];
  if (typeof value === "object") return from;
  if (typeof value === "function" && !/^[A-Z]/u.test(name)) return `(...given) => ${from}(...given)`;
  throw new Error(`nothing can stand in for ${name} of ${builtin}`);
}
