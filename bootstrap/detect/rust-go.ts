import type { Candidate, Look } from "./candidate.ts";
import { fieldsOf, own, tomlOf, wordsOf } from "./parse.ts";
import { quoted } from "./shell.ts";
import { evidenceMatching, evidenceOf, type Text } from "./text.ts";
import { isBelow, joined, within, type Tree } from "./tree.ts";
import { matching } from "./globs.ts";

/** A crate of Rust, or a workspace of them. */
export function lookAtRust(tree: Tree, folder: string): Look | undefined {
  const text = tree.read(within(folder, "Cargo.toml"));
  if (text === undefined) return undefined;
  const parsed = tomlOf(text);
  const manifest = "fault" in parsed ? {} : parsed.value;
  const workspace = own(manifest, "workspace") !== undefined;
  const all = workspace ? " --workspace" : "";
  const lock = tree.has(within(folder, "Cargo.lock"));
  const evidence = [
    workspace ? evidenceMatching(text, /^\s*\[workspace\]/u) : evidenceMatching(text, /^\s*\[package\]/u),
  ];
  const clippy = ["clippy.toml", ".clippy.toml"]
    .map((name) => within(folder, name))
    .find((path) => tree.has(path));
  const format = ["rustfmt.toml", ".rustfmt.toml"]
    .map((name) => within(folder, name))
    .find((path) => tree.has(path));
  const said = custom(folder, evidence);
  const lint = `cargo clippy${all} --all-targets`;
  return {
    ecosystem: "rust",
    manager: "cargo",
    evidence: [...evidence, ...(lock ? [evidenceOf(within(folder, "Cargo.lock"))] : [])],
    members: cargoMembers(
      tree,
      folder,
      wordsOf(own(fieldsOf(manifest, "workspace"), "members")),
      wordsOf(own(fieldsOf(manifest, "workspace"), "exclude")),
    ),
    candidates: [
      lock
        ? {
            ...said("setup", "cargo fetch --locked", within(folder, "Cargo.lock")),
            source: "lock" as const,
            reason: "it fetches exactly what Cargo.lock holds",
          }
        : said("setup", "cargo fetch"),
      said("test", `cargo test${all}`),
      format === undefined
        ? said("lint", lint, clippy)
        : {
            ...said("lint", `cargo fmt --all --check && ${lint}`, format),
            source: "tool",
            reason: `${format} says how it is formatted`,
          },
      said("build", `cargo build${all}`),
    ],
    warnings: [],
  };
}

const custom =
  (folder: string, evidence: Candidate["evidence"]) =>
  (kind: Candidate["kind"], command: string, path?: string): Candidate => ({
    kind,
    command,
    folder,
    source: path === undefined ? "custom" : "tool",
    evidence: path === undefined ? evidence : [evidenceOf(path)],
    reason: path === undefined ? "it is what its tools do of themselves" : `${path} configures it`,
  });

function cargoMembers(
  tree: Tree,
  folder: string,
  patterns: readonly string[],
  without: readonly string[],
): readonly string[] {
  if (patterns.length === 0) return [];
  const inside = tree.folders
    .filter((one) => isBelow(one, folder) && tree.has(within(one, "Cargo.toml")))
    .map((one) => (folder === "." ? one : one.slice(folder.length + 1)));
  return matching(inside, [...patterns, ...without.map((pattern) => `!${pattern}`)]).map((one) =>
    within(folder, one),
  );
}

/** A module of Go. */
export function lookAtGo(tree: Tree, folder: string): Look | undefined {
  const work = tree.read(within(folder, "go.work"));
  const text = tree.read(within(folder, "go.mod"));
  const manifest = work ?? text;
  if (manifest === undefined) return undefined;
  const used = work === undefined ? [] : usedModules(tree, folder, work);
  const patterns =
    used.length === 0
      ? "./..."
      : used.map((one) => (one === folder ? "./..." : quoted(`./${relative(one, folder)}/...`))).join(" ");
  const evidence = [
    work === undefined ? evidenceMatching(manifest, /^module\s/u) : evidenceMatching(manifest, /^use\b/u),
  ];
  const linter = tree.names(folder).find((name) => /^\.golangci\.(?:ya?ml|toml|json)$/u.test(name));
  const said = custom(folder, evidence);
  return {
    ecosystem: "go",
    manager: "go",
    evidence,
    members: used.filter((one) => one !== folder),
    candidates: [
      said("setup", "go mod download"),
      said("test", `go test ${patterns}`),
      said("lint", `go vet ${patterns}`),
      ...(linter === undefined ? [] : [said("lint", "golangci-lint run", within(folder, linter))]),
      said("build", `go build ${patterns}`),
    ],
    warnings: [],
  };
}

const relative = (path: string, folder: string): string =>
  folder === "." ? path : path.slice(folder.length + 1);

/** The modules a workspace of Go uses, as far as they lie in the repository. */
function usedModules(tree: Tree, folder: string, work: Text): readonly string[] {
  const found: string[] = [];
  let open = false;
  for (const line of work.lines.slice(0, 2_000)) {
    const plain = line.replace(/\/\/.*$/u, "").trim();
    const single = /^use\s+([^\s()]+)$/u.exec(plain)?.[1];
    if (/^use\s*\(/u.test(plain)) open = true;
    else if (plain === ")") open = false;
    else if (single !== undefined || (open && plain !== "")) {
      const path = joined(folder, single ?? plain.replaceAll('"', ""));
      if (
        path !== undefined &&
        tree.has(within(path, "go.mod")) &&
        (path === folder || isBelow(path, folder))
      )
        found.push(path);
    }
  }
  return found;
}
