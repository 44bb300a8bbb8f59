import { describe, expect, test } from "vitest";
import {
  installService,
  printService,
  serviceLogs,
  serviceStatus,
  uninstallService,
  type Machine,
} from "./service.ts";
import type { ServiceHost } from "./service-host.ts";

const node = "/usr/local/bin/node";
const unit = "/home/ada/.config/systemd/user/forgehand.service";
const linux: ServiceHost = {
  platform: "linux",
  home: "/home/ada",
  uid: 1000,
  folder: "/home/ada/work",
  node,
  program: "/usr/local/lib/node_modules/forgehand/dist/cli/forgehand.js",
  searchPath: "/home/ada/.local/bin:/usr/bin:relative:/tmp/x/node_modules/.bin",
  version: "1.2.3",
  settings: "/home/ada/.config/forgehand/forgehand.env",
};
const mac: ServiceHost = { ...linux, platform: "darwin", home: "/Users/ada", uid: 501 };

/** A machine of nothing but files, which remembers what was run. */
function machine(
  host: ServiceHost = linux,
  said: Readonly<Record<string, { code: number; out: string }>> = {},
) {
  const files = new Map<string, string>();
  const ran: string[] = [];
  const answer = (argv: readonly string[]) => {
    ran.push(argv.join(" "));
    const key = Object.keys(said).find((start) => argv.join(" ").startsWith(start));
    return (key === undefined ? undefined : said[key]) ?? { code: 0, out: "" };
  };
  const it: Machine = {
    host,
    read: (path) => files.get(path),
    write: (path, text) => void files.set(path, text),
    remove: (path) => void files.delete(path),
    list: (folder) =>
      [...files.keys()]
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1)),
    run: async (argv) => answer(argv),
    show: async (argv) => answer(argv).code,
    drainMinutes: undefined,
  };
  return { ...it, files, ran };
}
const lineOf = (text: string | undefined, start: string): string | undefined =>
  text?.split("\n").find((line) => line.startsWith(start));

describe("install", () => {
  test("writes the unit with absolute paths, and starts it", async () => {
    const here = machine();
    await installService(here, {});
    const text = here.files.get(unit);
    expect(lineOf(text, "ExecStart")).toBe(`ExecStart=${node} ${linux.program} up --supervised`);
    expect(lineOf(text, "Environment=PATH")).toBe(
      "Environment=PATH=/usr/local/bin:/home/ada/.local/bin:/usr/bin:/usr/local/sbin:/usr/sbin:/sbin:/bin",
    );
    expect(here.ran).toEqual([
      "systemctl --user daemon-reload",
      "systemctl --user enable --now forgehand.service",
    ]);
  });

  test("a second time changes nothing, a newer version replaces what is ours", async () => {
    const here = machine();
    await installService(here, {});
    const first = here.files.get(unit);
    expect((await installService(here, {})).text).toContain("unchanged");
    expect(here.files.get(unit)).toBe(first);
    const moved = { ...here, host: { ...linux, node: "/opt/node/bin/node" } };
    expect((await installService(moved, {})).text).toContain("changed");
    expect(lineOf(here.files.get(unit), "ExecStart")).toContain("/opt/node/bin/node");
  });

  test.each([
    ["edited", (text: string) => text.replace("RestartSec=5", "RestartSec=60"), "was changed after"],
    ["somebody else's", () => "[Service]\nExecStart=/bin/true\n", "has not written it"],
  ])("a file that is %s is not overwritten, unless forced", async (_, change, why) => {
    const here = machine();
    await installService(here, {});
    const changed = change(here.files.get(unit) ?? "");
    here.files.set(unit, changed);
    await expect(installService({ ...here, host: { ...linux, node: "/n" } }, {})).rejects.toThrow(why);
    expect(here.files.get(unit)).toBe(changed);
    await installService(here, { force: true });
    expect(lineOf(here.files.get(unit), "RestartSec")).toBe("RestartSec=5");
  });

  test("--dry-run writes and runs nothing", async () => {
    const here = machine();
    const { text } = await installService(here, { dryRun: true });
    expect(text).toContain("would run systemctl --user enable --now forgehand.service");
    expect([here.files.size, here.ran.length]).toEqual([0, 0]);
  });

  test.each([
    ["/home/ada/.npm/_npx/0a1b/node_modules/forgehand/dist/cli/forgehand.js", "npm install -g forgehand"],
    ["/home/ada/.cache/pnpm/dlx/1/node_modules/forgehand/dist/cli/forgehand.js", "npm install -g forgehand"],
    [
      "/tmp/bunx-1000-forgehand@latest/node_modules/forgehand/dist/cli/forgehand.js",
      "npm install -g forgehand",
    ],
    ["/opt/a\nExecStartPre=/bin/evil", "cannot stand in a service file"],
  ])("%j is refused", async (program, why) => {
    const here = machine({ ...linux, program });
    await expect(installService(here, {})).rejects.toThrow(why);
    expect(here.files.size).toBe(0);
  });

  test("a service of a person looks where the person's settings and state are", async () => {
    const folders = { XDG_CONFIG_HOME: "/home/ada/my settings", XDG_STATE_HOME: "/var/ada" };
    const here = machine({ ...linux, folders });
    await installService(here, {});
    const text = here.files.get(unit);
    expect(lineOf(text, 'Environment="XDG_CONFIG')).toBe(
      'Environment="XDG_CONFIG_HOME=/home/ada/my settings"',
    );
    expect(lineOf(text, "Environment=XDG_STATE")).toBe("Environment=XDG_STATE_HOME=/var/ada");
    await expect(
      installService(machine({ ...linux, folders: { XDG_STATE_HOME: "/a\nExecStart=/bin/sh" } }), {}),
    ).rejects.toThrow("cannot stand in a service file");
    const { files } = printService(machine({ ...linux, uid: 0, folders }), {}).data as {
      files: readonly { text: string }[];
    };
    // That of the system has a home of its own.
    expect(files.map(({ text: one }) => one).join("")).not.toContain("XDG_");
  });

  test("paths with spaces, quotes, percent and dollar signs stay one word", async () => {
    const here = machine({ ...linux, program: '/opt/my $HOME "100%"/forgehand.js' });
    await installService(here, {});
    expect(lineOf(here.files.get(unit), "ExecStart")).toBe(
      String.raw`ExecStart=${node} "/opt/my $$HOME \"100%%\"/forgehand.js" up --supervised`,
    );
  });

  test("for the system it takes root, and nothing from a person's home", async () => {
    await expect(installService(machine(), { scope: "system" })).rejects.toThrow("sudo");
    const home = { ...linux, uid: 0, program: "/home/ada/forgehand.js" };
    await expect(installService(machine(home), {})).rejects.toThrow("sudo npm install -g forgehand");
    const here = machine({ ...linux, uid: 0 });
    await installService(here, {});
    expect([...here.files.keys()]).toEqual([
      "/etc/sysusers.d/forgehand.conf",
      "/etc/systemd/system/forgehand.service",
    ]);
    expect(here.ran[0]).toBe("systemd-sysusers /etc/sysusers.d/forgehand.conf");
  });

  test("secrets that lie as files are handed over as credentials, by name only", async () => {
    const here = machine({ ...linux, uid: 0 });
    here.files.set("/etc/forgehand/credentials/private-key", "SECRET");
    await installService(here, {});
    const text = here.files.get("/etc/systemd/system/forgehand.service") ?? "";
    expect(text).toContain("LoadCredential=private-key:/etc/forgehand/credentials/private-key\n");
    expect(text).toContain("Environment=FORGEHAND_PRIVATE_KEY_FILE=%d/private-key\n");
    expect(text).not.toContain("SECRET");
    here.files.set("/etc/forgehand/credentials/notes", "");
    await expect(installService(here, {})).rejects.toThrow("credentials/notes is no secret of forgehand");
  });

  test("systemd waits longer than the drain that is set", async () => {
    const here = machine();
    here.files.set(linux.settings, "FORGEHAND_PORT=1\nFORGEHAND_DRAIN_MINUTES=120\n");
    await installService(here, {});
    expect(lineOf(here.files.get(unit), "TimeoutStopSec")).toBe("TimeoutStopSec=7500");
    expect(lineOf(printService(machine(), {}).text, "TimeoutStopSec")).toBe("TimeoutStopSec=2100");
  });

  test("a folder that cannot be written is named", async () => {
    const here = machine();
    const write = (): never => {
      throw Object.assign(new Error("EROFS: read-only file system"), { code: "EROFS" });
    };
    await expect(installService({ ...here, write }, {})).rejects.toThrow(`${unit} cannot be written (EROFS`);
    expect(here.ran).toEqual([]);
  });

  test("a manager that refuses is quoted, with what to type", async () => {
    const here = machine(linux, {
      "systemctl --user enable": { code: 1, out: "Failed to connect to bus\n" },
    });
    await expect(installService(here, {})).rejects.toThrow(
      /Failed to connect to bus\. The files are in place.*forgehand service install/u,
    );
  });

  test("launchd gets a plist of its own, and is told anew when it knew one", async () => {
    const here = machine(mac, { "launchctl bootout": { code: 3, out: "No such process" } });
    await installService(here, {});
    const plist = "/Users/ada/Library/LaunchAgents/forgehand.plist";
    expect(here.files.get(plist)).toMatch(/^<\?xml [^\n]+\n<!-- written by/u);
    expect(here.ran).toEqual(["launchctl bootout gui/501/forgehand", `launchctl bootstrap gui/501 ${plist}`]);
    await expect(installService(here, { scope: "system" })).rejects.toThrow("leave out --system");
  });

  test("a container's files are written, and what to type is told", async () => {
    const here = machine();
    const { hint } = await installService(here, { kind: "compose" });
    expect([...here.files.keys()].map((path) => path.replace("/home/ada/work/", ""))).toEqual([
      "forgehand-compose/Dockerfile",
      "forgehand-compose/.dockerignore",
      "forgehand-compose/compose.yaml",
    ]);
    expect(here.ran).toEqual([]);
    expect(hint).toContain("docker compose --project-directory /home/ada/work/forgehand-compose up -d");
  });

  test("another system is told of containers", async () => {
    await expect(installService(machine({ ...linux, platform: "win32" }), {})).rejects.toThrow(
      "--kind compose",
    );
  });
});

describe("uninstall", () => {
  test("stops, removes what is ours, and forgets it", async () => {
    const here = machine();
    await installService(here, {});
    here.ran.length = 0;
    expect((await uninstallService(here, {})).text).toBe(`removed   ${unit}`);
    expect(here.files.size).toBe(0);
    expect(here.ran).toEqual([
      "systemctl --user disable --now forgehand.service",
      "systemctl --user daemon-reload",
    ]);
    expect((await uninstallService(here, {})).text).toBe("nothing of forgehand is installed there");
  });

  test("leaves what somebody changed or wrote, and the service with it", async () => {
    const here = machine();
    here.files.set(unit, "[Service]\nExecStart=/bin/true\n");
    expect(await uninstallService(here, {})).toMatchObject({ text: `left      ${unit}` });
    expect(here.files.size).toBe(1);
    expect(here.ran).toEqual([]);
  });

  test("leaves all of a service whose unit was changed running as it is", async () => {
    const here = machine({ ...linux, uid: 0 });
    await installService(here, {});
    const system = "/etc/systemd/system/forgehand.service";
    here.files.set(system, `${here.files.get(system)}# mine\n`);
    here.ran.length = 0;
    expect((await uninstallService(here, {})).data).toMatchObject({ removed: [] });
    expect([here.files.size, here.ran]).toEqual([2, []]);
  });

  test("takes a chart away but for the file that was changed", async () => {
    const here = machine();
    await installService(here, { kind: "helm", dir: "chart" });
    const values = "/home/ada/work/chart/values.yaml";
    here.files.set(values, `${here.files.get(values)}\n# mine\n`);
    await uninstallService(here, { kind: "helm", dir: "chart" });
    expect([...here.files.keys()]).toEqual([values]);
  });
});

describe("status and logs", () => {
  const running = {
    code: 0,
    out: "LoadState=loaded\nActiveState=active\nSubState=running\nMainPID=42\nNRestarts=2\n",
  };
  test("of a unit that runs", async () => {
    const { text, exit, data } = await serviceStatus(machine(linux, { systemctl: running }), {});
    expect([text, exit]).toEqual([
      "forgehand (systemd, user): active (running), restarted 2 times, process 42",
      0,
    ]);
    expect(data).toMatchObject({ isRunning: true, pid: 42 });
  });
  test("of one that failed", async () => {
    const out = "LoadState=loaded\nActiveState=failed\nSubState=failed\nMainPID=0\nNRestarts=0\n";
    expect(await serviceStatus(machine(linux, { systemctl: { code: 0, out } }), {})).toMatchObject({
      exit: 1,
    });
  });
  test("of none", async () => {
    const systemctl = { code: 0, out: "LoadState=not-found\nActiveState=inactive\n" };
    await expect(serviceStatus(machine(linux, { systemctl }), {})).rejects.toThrow(
      "forgehand service install",
    );
  });
  test("of launchd", async () => {
    const here = machine(mac, {
      launchctl: { code: 0, out: "gui/501/forgehand = {\n\tstate = running\n\tpid = 7\n}\n" },
    });
    expect((await serviceStatus(here, {})).text).toBe("forgehand (launchd, user): running, process 7");
  });
  test("logs come from whoever keeps them", async () => {
    const here = machine();
    expect(await serviceLogs(here, { lines: 5, follow: "follow" })).toBe(0);
    expect(here.ran).toEqual([
      "journalctl --user --unit forgehand.service --no-pager --output=cat --lines=5 --follow",
    ]);
    await expect(serviceLogs(here, { kind: "compose", lines: 5, follow: "once" })).rejects.toThrow(
      "docker compose",
    );
  });
});
