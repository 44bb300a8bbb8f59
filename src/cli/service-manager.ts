import { join } from "node:path";
import type { ServiceHost, Wanted } from "./service-host.ts";

/** One command of a service manager; `may fail` where it only clears the way. */
export interface Step {
  readonly argv: readonly [file: string, ...args: string[]];
  readonly must: "succeed" | "may fail";
}

/** How a service manager is spoken to about forgehand. */
export interface Manager {
  /** After its files are in place. */
  readonly begin: readonly Step[];
  /** Before its files are taken away: waits until runs have drained. */
  readonly end: readonly Step[];
  /** After that. */
  readonly forget: readonly Step[];
  readonly status: readonly [string, ...string[]];
  /** What the answer of `status` says in words; undefined where no such service is known. */
  readonly read: (code: number, out: string) => ServiceState | undefined;
  readonly logs: (lines: number, follow: "follow" | "once") => readonly [string, ...string[]];
  /** What to type after it was installed. */
  readonly hint: string;
}
export interface ServiceState {
  readonly state: string;
  readonly isRunning: boolean;
  readonly pid: number | undefined;
}

const must = (...argv: readonly [string, ...string[]]): Step => ({ argv, must: "succeed" });
const may = (...argv: readonly [string, ...string[]]): Step => ({ argv, must: "may fail" });

/** The manager behind a kind; undefined for containers, which are started elsewhere. */
export function managerOf(host: ServiceHost, { kind, scope }: Wanted): Manager | undefined {
  if (kind === "systemd") return systemd(scope === "user" ? ["--user"] : []);
  if (kind === "launchd") return launchd(host);
  return undefined;
}

function systemd(scope: readonly string[]): Manager {
  const unit = "forgehand.service";
  const isSystem = scope.length === 0;
  return {
    begin: [
      ...(isSystem ? [must("systemd-sysusers", "/etc/sysusers.d/forgehand.conf")] : []),
      must("systemctl", ...scope, "daemon-reload"),
      must("systemctl", ...scope, "enable", "--now", unit),
    ],
    end: [may("systemctl", ...scope, "disable", "--now", unit)],
    forget: [may("systemctl", ...scope, "daemon-reload")],
    status: [
      "systemctl",
      ...scope,
      "show",
      "--property=LoadState,ActiveState,SubState,MainPID,NRestarts",
      unit,
    ],
    read: (code, out) => {
      const said = new Map(
        out.split("\n").map((line) => {
          const at = line.indexOf("=");
          return [line.slice(0, at), line.slice(at + 1)] as const;
        }),
      );
      if (code !== 0 || said.get("LoadState") === "not-found") return undefined;
      const restarts = Number(said.get("NRestarts") ?? 0);
      const active = said.get("ActiveState") ?? "unknown";
      return {
        state: `${active} (${said.get("SubState") ?? "unknown"})${restarts > 0 ? `, restarted ${restarts} times` : ""}`,
        isRunning: active === "active" || active === "reloading",
        pid: Number(said.get("MainPID")) || undefined,
      };
    },
    logs: (lines, follow) => [
      "journalctl",
      ...scope,
      "--unit",
      unit,
      "--no-pager",
      "--output=cat",
      `--lines=${lines}`,
      ...(follow === "follow" ? ["--follow"] : []),
    ],
    hint: isSystem
      ? "settings: /etc/forgehand/forgehand.env; after a change `systemctl restart forgehand`, which drains first"
      : "`loginctl enable-linger` keeps it running when you log out; after a change `systemctl --user restart forgehand`, which drains first",
  };
}

function launchd(host: ServiceHost): Manager {
  const target = `gui/${host.uid}/forgehand`;
  const plist = join(host.home, "Library/LaunchAgents/forgehand.plist");
  return {
    begin: [may("launchctl", "bootout", target), must("launchctl", "bootstrap", `gui/${host.uid}`, plist)],
    end: [may("launchctl", "bootout", target)],
    forget: [],
    status: ["launchctl", "print", target],
    read: (code, out) => {
      if (code !== 0) return undefined;
      const state = /^\s*state = (.+)$/mu.exec(out)?.[1]?.trim() ?? "unknown";
      return {
        state,
        isRunning: state === "running",
        pid: Number(/^\s*pid = (\d+)$/mu.exec(out)?.[1]) || undefined,
      };
    },
    logs: (lines, follow) => [
      "tail",
      "-n",
      String(lines),
      ...(follow === "follow" ? ["-F"] : []),
      join(host.home, "Library/Logs/forgehand.log"),
    ],
    hint: `after a change of settings: \`launchctl kickstart -k ${target}\``,
  };
}
