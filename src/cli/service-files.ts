import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { secretVariables } from "../config-environment.ts";
import { exitCodes } from "../problems.ts";
import { Failure } from "./output.ts";
import { lastingPath, type ServiceHost, type Wanted } from "./service-host.ts";
import { marked } from "./service-mark.ts";

export interface ServiceFile {
  readonly path: string;
  readonly text: string;
}

/** From the sources and from what is bound of them alike. */
const templates = fileURLToPath(new URL("../../bootstrap/service/", import.meta.url));
const template = (name: string): string => readFileSync(join(templates, name), "utf8");

/** Five minutes above the drain: for what is interrupted at its end, and for what must still be sent. */
const stopMarginSeconds = 5 * 60;

export interface FileOrder {
  readonly host: ServiceHost;
  readonly wanted: Wanted;
  /** Where the files of containers go. */
  readonly dir: string;
  readonly drainMinutes: number;
  /** Names of the files in `/etc/forgehand/credentials`. */
  readonly credentials: readonly string[];
}

/** Every file of a service for this host, as it is to be written. */
export function serviceFiles(order: FileOrder): readonly ServiceFile[] {
  const { host, wanted, dir } = order;
  const values = valuesOf(order);
  const file = (path: string, from: string): ServiceFile => ({
    path,
    text: marked(from, filled(template(from), values)),
  });
  switch (wanted.kind) {
    case "systemd":
      return wanted.scope === "system"
        ? [
            file("/etc/sysusers.d/forgehand.conf", "systemd/sysusers.conf"),
            file("/etc/systemd/system/forgehand.service", "systemd/system.service"),
          ]
        : [file(join(host.home, ".config/systemd/user/forgehand.service"), "systemd/user.service")];
    case "launchd":
      return [file(join(host.home, "Library/LaunchAgents/forgehand.plist"), "launchd/forgehand.plist")];
    case "docker":
      return [file(join(dir, "Dockerfile"), "container/Dockerfile")];
    case "compose":
      return [
        file(join(dir, "Dockerfile"), "container/Dockerfile"),
        // Beside it lie the secrets.
        file(join(dir, ".dockerignore"), "container/dockerignore"),
        file(join(dir, "compose.yaml"), "container/compose.yaml"),
      ];
    case "helm":
      return readdirSync(join(templates, "helm"), { recursive: true, encoding: "utf8" })
        .filter((name) => /\.\w+$/u.test(name))
        .toSorted()
        .map((name) => file(join(dir, name), join("helm", name)));
  }
}

type Values = Readonly<Record<string, string>>;

/** Puts values into a template; one it does not know is a fault of the template. */
function filled(text: string, values: Values): string {
  return text.replaceAll(/@([a-zA-Z]+)@/gu, (whole, name: string) => values[name] ?? whole);
}

function valuesOf({ host, wanted, drainMinutes, credentials }: FileOrder): Values {
  const { kind, scope } = wanted;
  const stopSeconds = String(drainMinutes * 60 + stopMarginSeconds);
  const path = lastingPath(host, scope);
  const folders = Object.entries(host.folders ?? {});
  const usual = { stopSeconds, version: host.version };
  if (kind === "systemd") {
    return {
      ...usual,
      node: unitWord(host.node),
      // Only in the arguments of a command does systemd replace what follows a dollar.
      forgehand: unitWord(host.program.replaceAll("$", "$$$$")),
      path: unitWord(`PATH=${path}`),
      folders: folders.map(([name, value]) => `\nEnvironment=${unitWord(`${name}=${value}`)}`).join(""),
      settings: host.settings,
      credentials: credentialLines(credentials),
    };
  }
  const said = {
    node: host.node,
    forgehand: host.program,
    path,
    settings: host.settings,
    home: host.home,
    logs: join(host.home, "Library/Logs"),
  };
  return {
    ...usual,
    folders: folders
      .map(([name, value]) => `\n    <key>${name}</key>\n    <string>${xmlText(value)}</string>`)
      .join(""),
    ...Object.fromEntries(Object.entries(said).map(([name, value]) => [name, xmlText(value)])),
  };
}

/** One word of a unit: quoted, with what systemd would replace or split at taken literally. */
export const unitWord = (text: string): string => {
  const literal = text.replaceAll("%", "%%");
  return /^[\w/.,:=+@%$-]+$/u.test(literal) ? literal : `"${literal.replaceAll(/["\\]/gu, String.raw`\$&`)}"`;
};
const xmlText = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("--", "-&#45;");

const credentialFolder = "/etc/forgehand/credentials";
/** `private-key` → `FORGEHAND_PRIVATE_KEY_FILE`. */
const variableOf = (name: string): string => `FORGEHAND_${name.toUpperCase().replaceAll("-", "_")}_FILE`;
const nameOf = (variable: string): string =>
  variable
    .replace(/^FORGEHAND_|_FILE$/gu, "")
    .toLowerCase()
    .replaceAll("_", "-");

/** Secrets as files that systemd hands to this service alone; they stand in no unit and in no environment. */
function credentialLines(names: readonly string[]): string {
  const known = secretVariables.filter((variable) => variable.endsWith("_FILE"));
  const odd = names.find((name) => !known.includes(variableOf(name)));
  if (odd !== undefined) {
    throw new Failure(
      exitCodes.usage,
      `${credentialFolder}/${odd} is no secret of forgehand: take it away, or name it one of ${known.map(nameOf).join(", ")}`,
    );
  }
  if (names.length === 0) {
    return [
      `# Put secrets as files (\`chmod 600\`) into ${credentialFolder}: private-key, webhook-secret and so on. Then`,
      "# `forgehand service install` again: systemd hands them to this service alone.",
    ].join("\n");
  }
  return names
    .toSorted()
    .flatMap((name) => [
      `LoadCredential=${name}:${credentialFolder}/${name}`,
      `Environment=${variableOf(name)}=%d/${name}`,
    ])
    .join("\n");
}
