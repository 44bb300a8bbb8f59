/** Parts of Node that cost milliseconds to load. Most commands never call them. */
const dear = ["node:child_process", "node:crypto", "node:fs"];

/**
 * Builds files of these names so that they import nothing of Node: for an import the loader of modules reads every name of
 * that part, and behind some names others are loaded, which takes 14 ms for `node:process` and 8 for `node:util`. They ask
 * Node for its parts instead, and for the dear ones not before they call them.
 */
export const lazyBuiltins = (names) => ({
  name: "lazy-builtins",
  renderChunk(code, { name }) {
    if (!names.includes(name)) return null;
    // It knows Node's own functions by a mark on them, and what stands in their place has none.
    if (code.includes("promisify"))
      throw new Error(`${name} would make a promise of a function that stands in`);
    const asking = askNow(dear.reduce(askLater, code));
    const [left] = /^import .*"node:.*$/mu.exec(asking) ?? [];
    if (left !== undefined) throw new Error(`${name} is built with ${left}`);
    return asking;
  },
});

/** What the bundler writes: `import fs, { existsSync, readFileSync as read } from "node:fs";` */
const importOf = (builtin) =>
  new RegExp(`^import (?:([\\w$]+)(?:, )?)?(?:\\{ ([^}]+) \\})? from "(${builtin})";$`, "gmu");

const askNow = (code) =>
  code.replaceAll(importOf("node:[\\w/]+"), (_all, whole, list, builtin) =>
    [whole, list && `{ ${list.replaceAll(" as ", ": ")} }`]
      .filter((taken) => taken !== undefined)
      .map((taken) => `const ${taken} = process.getBuiltinModule("${builtin}");`)
      .join("\n"),
  );

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
