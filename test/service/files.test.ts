import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { serviceFiles, type ServiceFile } from "../../src/cli/service-files.ts";
import type { ServiceHost, Wanted } from "../../src/cli/service-host.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "service-files-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const host: ServiceHost = {
  platform: "linux",
  home: "/home/ada",
  uid: 1000,
  folder: "/srv",
  node: process.execPath,
  program: process.execPath,
  searchPath: "/usr/bin:/opt/a&b <c>/bin",
  version: "1.2.3",
  settings: "/home/ada/.config/forgehand/forgehand.env",
};
const all: readonly Wanted[] = [
  { kind: "systemd", scope: "system" },
  { kind: "systemd", scope: "user" },
  { kind: "launchd", scope: "user" },
  { kind: "compose", scope: "user" },
  { kind: "helm", scope: "user" },
];
const filesOf = (wanted: Wanted): readonly ServiceFile[] =>
  serviceFiles({ host, wanted, dir: "/srv/forgehand", drainMinutes: 30, credentials: ["private-key"] });
const named = (wanted: Wanted, name: string): string =>
  filesOf(wanted).find(({ path }) => path.endsWith(name))?.text ?? "";
const systemUnit = () => named({ kind: "systemd", scope: "system" }, ".service");

test.each(all)("no value is left open in $kind, $scope", (wanted) => {
  const files = filesOf(wanted);
  expect(files.length).toBeGreaterThan(0);
  for (const { text } of files) expect(text).not.toMatch(/(?<![\w/])@[a-z]+@/iu);
});

/** `systemd-analyze` where there is one: it is the judge of units. */
test.each(all.slice(0, 2))("systemd understands its unit for $scope", ({ scope }) => {
  const text = named({ kind: "systemd", scope }, ".service");
  const sections = [...text.matchAll(/^\[(\w+)\]$/gmu)].map(([, name]) => name);
  expect(sections).toEqual(["Unit", "Service", "Install"]);
  for (const line of text.split("\n")) expect(line).toMatch(/^(?:#.*|\[\w+\]|[A-Z]\w+=.*|)$/u);
  if (!existsSync("/usr/bin/systemd-analyze")) return;
  // The user of the unit is made when it is installed.
  const file = join(dir, `forgehand-${scope}.service`);
  writeFileSync(file, text.replaceAll(/^(User|Group)=.*$/gmu, "$1=root"));
  const argv = [...(scope === "user" ? ["--user"] : []), "verify", "--man=no", file];
  const env = { ...process.env, XDG_RUNTIME_DIR: dir };
  expect(
    execFileSync("systemd-analyze", argv, { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
  ).toBe("");
});

test("nothing in a unit keeps bubblewrap from its namespaces, mounts and /proc, or Node from compiling", () => {
  const forbidden =
    /^(?:RestrictNamespaces|SystemCallFilter|ProtectKernelTunables|ProtectKernelLogs|ProtectProc|ProcSubset|MemoryDenyWriteExecute|PrivateUsers)=/mu;
  for (const wanted of all.slice(0, 2)) expect(named(wanted, ".service")).not.toMatch(forbidden);
  expect(systemUnit()).toMatch(/^RestrictAddressFamilies=.*AF_NETLINK/mu);
});

test("agents hear nothing of a stop before the drain is over", () => {
  expect(systemUnit()).toMatch(/^KillMode=mixed$/mu);
  expect(systemUnit()).toMatch(/^TimeoutStopSec=2100$/mu);
  expect(named({ kind: "launchd", scope: "user" }, ".plist")).toContain("<integer>2100</integer>");
});

test("the plist is XML, whatever the paths hold", () => {
  const text = named({ kind: "launchd", scope: "user" }, ".plist");
  expect(text).toContain("/opt/a&amp;b &lt;c&gt;/bin");
  const open: string[] = [];
  for (const [, tag = ""] of text.replaceAll(/<[?!][^>]*>/gu, "").matchAll(/<(\/?\w+)(?: [^>]*[^/])?>/gu)) {
    if (tag.startsWith("/")) expect(open.pop()).toBe(tag.slice(1));
    else open.push(tag);
  }
  expect(open).toEqual([]);
});

test("compose runs the image without rights, on this host alone, and waits for the drain", () => {
  const compose = { kind: "compose", scope: "user" } as const;
  expect(parse(named(compose, "compose.yaml"))).toMatchObject({
    services: {
      forgehand: {
        ports: ["127.0.0.1:3000:3000"],
        read_only: true,
        cap_drop: ["ALL"],
        stop_grace_period: "2100s",
        env_file: [{ path: "forgehand.env", format: "raw" }],
      },
    },
  });
  const dockerfile = named(compose, "Dockerfile");
  expect(dockerfile).toContain("ARG FORGEHAND=forgehand@1.2.3\n");
  expect(dockerfile).toMatch(/^USER node$/mu);
  expect(dockerfile).toContain("/healthz");
  // What lies beside the Dockerfile, forgehand.env before all, stays out of the image.
  expect(named(compose, ".dockerignore")).toMatch(/^\*$/mu);
});
