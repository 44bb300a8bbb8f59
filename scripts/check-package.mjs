/**
 * Packs what is built, installs it in an empty folder as a person would, and plays with it on Node 22 and 24: what is
 * promised of the package must hold of the package, not of the repository. `--node PATH` adds a Node to play on.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { outside } from "./outside.mjs";

const limits = { packages: 200, megabytes: 100, packedMegabytes: 10 };
/** The oldest Node that `engines` allows; the one of this repository plays, too. */
const oldestNode = "22.14.0";

const { values: options } = parseArgs({ options: { node: { type: "string", multiple: true } } });
const faults = [];
const check = (claim, isTrue) => {
  process.stdout.write(`${isTrue ? "✓" : "✗"} ${claim}\n`);
  if (!isTrue) faults.push(claim);
};
const folder = mkdtempSync(join(tmpdir(), "forgehand-package-"));
const npm = (cwd, ...argv) =>
  execFileSync("npm", [...argv, "--no-audit", "--no-fund", "--loglevel=error"], { cwd, encoding: "utf8" });
/** An empty project with these packages in it. */
function install(name, ...packages) {
  const project = join(folder, name);
  execFileSync("mkdir", ["-p", project]);
  writeFileSync(join(project, "package.json"), '{ "private": true }');
  npm(project, "install", "--prefer-offline", "--ignore-scripts", ...packages);
  return project;
}
const megabytesOf = (path) => {
  const stat = statSync(path);
  return stat.isDirectory()
    ? readdirSync(path).reduce((sum, name) => sum + megabytesOf(join(path, name)), 0)
    : Math.ceil(stat.size / 4096) / 256;
};

try {
  const manifest = JSON.parse(readFileSync("package.json", "utf8"));
  // What is bound into the build and installed again would only make the installation larger.
  const stray = Object.keys(manifest.dependencies).filter((name) => ![...outside, "zod"].includes(name));
  check(
    `dependencies are only what stays outside the build${stray.map((name) => `, not ${name}`).join("")}`,
    stray.length === 0,
  );

  const [packed] = [
    JSON.parse(npm(".", "pack", "--ignore-scripts", "--json", "--pack-destination", folder)),
  ].flat();
  const files = packed.files.map(({ path }) => path);
  const odd = files.filter((path) =>
    /\.test\.|\.map$|fixtures|node_modules|^(?:src|test|scripts)\//u.test(path),
  );
  check(
    `no tests, maps or sources are packed${odd.slice(0, 3).map((path) => `: ${path}`)}`,
    odd.length === 0,
  );
  const packedMegabytes = packed.size / 1024 ** 2;
  check(
    `packed: ${packedMegabytes.toFixed(1)} MB in ${files.length} files (at most ${limits.packedMegabytes} MB)`,
    packedMegabytes <= limits.packedMegabytes,
  );

  const project = install("project", join(folder, packed.filename));
  const { packages } = JSON.parse(readFileSync(join(project, "node_modules/.package-lock.json"), "utf8"));
  const count = Object.keys(packages).length;
  check(`${count} packages installed (at most ${limits.packages})`, count <= limits.packages);
  const megabytes = Math.round(megabytesOf(join(project, "node_modules")));
  check(`${megabytes} MB on disk (at most ${limits.megabytes})`, megabytes <= limits.megabytes);
  const scripted = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript);
  check(
    `no package runs a script when installed${scripted.map(([name]) => `, not ${name}`).join("")}`,
    scripted.length === 0,
  );

  const old = join(
    install("old-node", `node@${oldestNode}`, "--ignore-scripts=false"),
    "node_modules/node/bin/node",
  );
  for (const node of [old, process.execPath, ...(options.node ?? [])]) play(node, project);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(faults.length === 0 ? "the package holds\n" : `${faults.length} do not hold\n`);
process.exitCode = faults.length === 0 ? 0 : 1;

/** What a stranger types first, away from any repository and any settings of his own. */
function play(node, project) {
  const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
  const home = mkdtempSync(join(folder, "home-"));
  const env = { PATH: process.env.PATH, HOME: home, LANG: "C.UTF-8" };
  const forgehand = (...argv) =>
    spawnSync(node, [join(project, "node_modules/forgehand/dist/cli/forgehand.js"), ...argv], {
      cwd: home,
      env,
      encoding: "utf8",
      timeout: 180_000,
    });
  const says = (argv, code, pattern) => {
    const { status, stdout, stderr } = forgehand(...argv);
    const holds = status === code && pattern.test(stdout);
    check(`${version}: forgehand ${argv.join(" ")}`, holds);
    if (!holds) process.stdout.write(`${stdout}${stderr}`.slice(-4000));
  };
  says(["--version"], 0, /^\d+\.\d+\.\d+/u);
  says(["help", "environment"], 0, /FORGEHAND_APP_ID/u);
  says(["completion", "bash"], 0, /complete -F/u);
  says(["service", "print", "--kind", "systemd"], 0, /ExecStart=/u);
  // A repository of anybody's, for which most of what is bound into the build is loaded.
  execFileSync("git", ["init", "--quiet", join(home, "web")]);
  execFileSync("git", [
    "-C",
    join(home, "web"),
    "-c",
    "user.name=ada",
    "-c",
    "user.email=ada@localhost",
    "commit",
    "--quiet",
    "--allow-empty",
    "-m",
    "Begin",
  ]);
  says(["bootstrap", "web", "--dry-run"], 0, /settings\.json/u);
  says(["doctor", "--json"], 4, /"schema":"doctor\/1"/u);
  says(["demo", "--dir", join(home, "demo")], 0, /One flagged, two merged/u);
  says(["ledger", "verify", "--database", join(home, "demo/forgehand.db")], 0, /holds|lines/u);
  // The other simulated tracker reads what the build kept of an SDK; once is enough for that.
  if (node === process.execPath)
    says(["demo", "--tracker", "linear", "--dir", join(home, "linear")], 0, /One flagged, two merged/u);
}
