import { join, resolve } from "node:path";
import { usualDrainMinutes } from "../config-environment.ts";
import { exitCodes } from "../problems.ts";
import { Failure, type Answer } from "./output.ts";
import { serviceFiles, type ServiceFile } from "./service-files.ts";
import {
  checkLasting,
  wanted,
  type ServiceHost,
  type ServiceKind,
  type ServiceScope,
  type Wanted,
} from "./service-host.ts";
import { managerOf, type Manager, type Step } from "./service-manager.ts";
import { ownerOf } from "./service-mark.ts";

/** What installing a service touches: given, so that it can be tried anywhere. */
export interface Machine {
  readonly host: ServiceHost;
  read(path: string): string | undefined;
  /** Whole or not at all. */
  write(path: string, text: string): void;
  remove(path: string): void;
  /** Names in a folder; none where there is no folder. */
  list(folder: string): readonly string[];
  run(argv: readonly [string, ...string[]]): Promise<{ readonly code: number; readonly out: string }>;
  /** With this terminal for its own; answers what it ended with. */
  show(argv: readonly [string, ...string[]]): Promise<number>;
  /** `FORGEHAND_DRAIN_MINUTES` as it is set here. */
  readonly drainMinutes: string | undefined;
}
export interface ServiceOptions {
  readonly kind?: ServiceKind | undefined;
  readonly scope?: ServiceScope | undefined;
  readonly dir?: string | undefined;
}

interface Plan {
  readonly wanted: Wanted;
  readonly files: readonly ServiceFile[];
  readonly manager: Manager | undefined;
  readonly dir: string;
}

function planOf(machine: Machine, options: ServiceOptions): Plan {
  const { host } = machine;
  const what = wanted(host, options);
  const isSystem = what.kind === "systemd" && what.scope === "system";
  const credentials = isSystem ? machine.list("/etc/forgehand/credentials") : [];
  const dir = resolve(host.folder, options.dir ?? `forgehand-${what.kind}`);
  return {
    wanted: what,
    files: serviceFiles({
      host,
      wanted: what,
      dir,
      drainMinutes: drainOf(machine, isSystem ? "system" : "own"),
      credentials,
    }),
    manager: managerOf(host, what),
    dir,
  };
}

/** The stop must wait longer than the drain that the service will be told of. */
function drainOf(machine: Machine, place: "own" | "system"): number {
  const settings = place === "system" ? "/etc/forgehand/forgehand.env" : machine.host.settings;
  const told = place === "system" ? undefined : machine.drainMinutes;
  const kept = /^FORGEHAND_DRAIN_MINUTES=["']?(\d+)/mu.exec(machine.read(settings) ?? "")?.[1];
  return Number.parseInt(told ?? kept ?? "", 10) || usualDrainMinutes;
}

/** The files as they would be written, and nothing done. */
export function printService(machine: Machine, options: ServiceOptions): Answer {
  const { wanted: what, files } = planOf(machine, options);
  return {
    schema: "service-print/1",
    data: { ...what, files },
    text:
      files.length === 1
        ? (files[0]?.text ?? "")
        : files.map(({ path, text }) => `# ── ${path}\n${text}`).join("\n"),
  };
}

export async function installService(
  machine: Machine,
  options: ServiceOptions & { readonly dryRun?: true | undefined; readonly force?: true | undefined },
): Promise<Answer> {
  const plan = planOf(machine, options);
  const { wanted: what, files, manager, dir } = plan;
  checkLasting(machine.host, what);
  const begin = manager?.begin ?? [];
  const changes = files.map((file) => ({ ...file, is: changeOf(machine, file, options.force) }));
  const told = changes.map(({ path, is }) => `${is.padEnd(9)} ${path}`);
  const hint = manager?.hint ?? nextOf(what.kind, dir);
  const data = { ...what, files: changes.map(({ path, is }) => ({ path, is })) };
  if (options.dryRun === true) {
    const commands = begin.map(({ argv }) => `would run ${argv.join(" ")}`);
    return {
      schema: "service-install/1",
      data: { ...data, dryRun: true },
      text: [...told, ...commands].join("\n"),
      hint,
    };
  }
  checkRoot(machine.host, what);
  // A process that dies in between leaves whole files of ours, and the same command again does the rest.
  for (const { path, text, is } of changes) if (is !== "unchanged") write(machine, path, text);
  for (const step of begin) await take(machine, step);
  return { schema: "service-install/1", data, text: told.join("\n"), hint };
}

function write(machine: Machine, path: string, text: string): void {
  try {
    machine.write(path, text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Failure(
      exitCodes.permission,
      `${path} cannot be written (${why}): mend that, then \`forgehand service install\` again`,
      { cause },
    );
  }
}

type Change = "new" | "changed" | "unchanged";

/** Never over what somebody else wrote, or wrote into ours. */
function changeOf(machine: Machine, { path, text }: ServiceFile, force: true | undefined): Change {
  const there = machine.read(path);
  if (there === undefined) return "new";
  if (there === text) return "unchanged";
  const owner = ownerOf(there);
  if (owner === "ours" || force === true) return "changed";
  const why =
    owner === "edited"
      ? "was changed after forgehand had written it"
      : "is there already, and forgehand has not written it";
  const instead = path.endsWith(".service")
    ? "keep your changes in a drop-in (`systemctl edit forgehand`)"
    : "move it aside";
  throw new Failure(
    exitCodes.usage,
    `${path} ${why}: ${instead}, or overwrite it with \`forgehand service install --force\``,
  );
}

export async function uninstallService(
  machine: Machine,
  options: ServiceOptions & { readonly dryRun?: true | undefined },
): Promise<Answer> {
  const { wanted: what, files, manager } = planOf(machine, options);
  const there = files.flatMap(({ path }) => {
    const text = machine.read(path);
    return text === undefined ? [] : [{ path, owner: ownerOf(text) }];
  });
  // A service whose unit is no longer as we left it is somebody's own by now: all of it stays. Other folders lose what is ours.
  const isTaken = manager !== undefined && there.some(({ owner }) => owner !== "ours");
  const isGoing = ({ owner }: { readonly owner: string }): boolean => owner === "ours" && !isTaken;
  const ours = there.filter(isGoing).map(({ path }) => path);
  const left = there.filter((one) => !isGoing(one)).map(({ path }) => path);
  const steps = ours.length === 0 ? [] : [...(manager?.end ?? []), ...(manager?.forget ?? [])];
  const told = [...ours.map((path) => `removed   ${path}`), ...left.map((path) => `left      ${path}`)];
  const data = { ...what, removed: ours, left };
  if (options.dryRun === true) {
    const commands = steps.map(({ argv }) => `would run ${argv.join(" ")}`);
    return {
      schema: "service-uninstall/1",
      data: { ...data, dryRun: true },
      text: [...told, ...commands].join("\n"),
    };
  }
  if (ours.length > 0) {
    checkRoot(machine.host, what);
    for (const step of manager?.end ?? []) await take(machine, step);
    for (const path of ours) machine.remove(path);
    for (const step of manager?.forget ?? []) await take(machine, step);
  }
  return {
    schema: "service-uninstall/1",
    data,
    text: told.length === 0 ? "nothing of forgehand is installed there" : told.join("\n"),
    ...(left.length === 0
      ? {}
      : { hint: "what is left was changed, or written, by somebody else: look at it, then remove it" }),
  };
}

export async function serviceStatus(machine: Machine, options: ServiceOptions): Promise<Answer> {
  const { wanted: what, manager, dir } = planOf(machine, options);
  if (manager === undefined) throw new Failure(exitCodes.usage, elsewhere(what.kind, dir));
  const { code, out } = await machine.run(manager.status);
  const state = manager.read(code, out);
  if (state === undefined) {
    throw new Failure(
      exitCodes.notFound,
      `no such service (${what.kind}, ${what.scope}): \`forgehand service install\` makes it`,
    );
  }
  return {
    schema: "service-status/1",
    data: { ...what, ...state },
    text: `forgehand (${what.kind}, ${what.scope}): ${state.state}${state.pid === undefined ? "" : `, process ${state.pid}`}`,
    exit: state.isRunning ? exitCodes.ok : exitCodes.failed,
    ...(state.isRunning
      ? {}
      : { hint: "`forgehand service logs` says why, `forgehand doctor` what is missing" }),
  };
}

/** Hands the terminal to whoever keeps the log; answers what that ended with. */
export async function serviceLogs(
  machine: Machine,
  options: ServiceOptions & { readonly lines: number; readonly follow: "follow" | "once" },
): Promise<number> {
  const { wanted: what, manager, dir } = planOf(machine, options);
  if (manager === undefined) throw new Failure(exitCodes.usage, elsewhere(what.kind, dir));
  return await machine.show(manager.logs(options.lines, options.follow));
}

function checkRoot({ uid }: ServiceHost, { kind, scope }: Wanted): void {
  if (kind !== "systemd" || scope !== "system" || uid === 0) return;
  throw new Failure(
    exitCodes.permission,
    "a service of the system is root's to change: type it again with `sudo`, or leave out --system",
  );
}

async function take(machine: Machine, { argv, must }: Step): Promise<void> {
  const { code, out } = await machine.run(argv);
  if (code === 0 || must === "may fail") return;
  throw new Failure(
    exitCodes.failed,
    `\`${argv.join(" ")}\` ended with ${code}: ${out.trim() || "it said nothing"}. The files are in place; mend that, then \`forgehand service install\` again`,
  );
}

/** What to type next where forgehand starts nothing itself. */
function nextOf(kind: ServiceKind, dir: string): string {
  const env = join(dir, "forgehand.env");
  if (kind === "compose") {
    return `put your settings into ${env} (\`chmod 600\`), then: docker compose --project-directory ${dir} up -d --build`;
  }
  if (kind === "helm") {
    return `kubectl create secret generic forgehand --from-env-file=forgehand.env\nhelm upgrade --install forgehand ${dir} --set existingSecret=forgehand --set image.repository=YOUR-REGISTRY/forgehand`;
  }
  return `docker build -t forgehand ${dir}\ndocker run -d --name forgehand --read-only --tmpfs /tmp --env-file forgehand.env -v forgehand:/data -p 127.0.0.1:3000:3000 --stop-timeout 2100 --restart unless-stopped forgehand`;
}

function elsewhere(kind: ServiceKind, dir: string): string {
  const commands: Partial<Record<ServiceKind, string>> = {
    compose: `docker compose --project-directory ${dir} ps\` or \`… logs -f`,
    docker: "docker ps` or `docker logs -f forgehand",
    helm: "helm status forgehand` or `kubectl logs -f deploy/forgehand",
  };
  return `forgehand does not start containers itself: \`${commands[kind] ?? ""}\``;
}
