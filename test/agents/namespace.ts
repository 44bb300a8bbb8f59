/** What tests with real agents need of a host: packages in a folder of their own, and a network that ends at the loopback. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Installs exactly these packages; answers why not. */
export function install(
  folder: string,
  packages: Readonly<Record<string, string>>,
  options: { readonly flags?: readonly string[]; readonly scripts?: readonly string[] } = {},
): string | undefined {
  if (Object.keys(packages).every((name) => existsSync(join(folder, "node_modules", name)))) return undefined;
  mkdirSync(folder, { recursive: true });
  const allowScripts = Object.fromEntries((options.scripts ?? []).map((name) => [name, true]));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, allowScripts }));
  const wanted = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  const flags = ["--no-audit", "--no-fund", "--save-exact", ...(options.flags ?? [])];
  const done = spawnSync("npm", ["install", ...flags, ...wanted], {
    cwd: folder,
    encoding: "utf8",
    timeout: 600_000,
  });
  return done.status === 0 ? undefined : (done.stderr || String(done.error)).trim().split("\n").at(-1);
}

/** The command that runs another one where only the loopback is. Root needs no user namespace of its own; others do. */
export function namespace(): { readonly command: readonly string[] } | { readonly why: string } {
  const flags = process.getuid?.() === 0 ? "-n" : "-rn";
  const up = "ip link set lo up";
  const tried = spawnSync("unshare", [flags, "sh", "-c", up], { encoding: "utf8" });
  if (tried.status !== 0) return { why: (tried.stderr || String(tried.error)).trim() };
  return { command: ["unshare", flags, "sh", "-c", `${up} && exec "$0" "$@"`] };
}
