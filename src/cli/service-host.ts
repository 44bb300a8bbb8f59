import { dirname, isAbsolute } from "node:path";
import { exitCodes } from "../problems.ts";
import { Failure } from "./output.ts";

/** The host a service is written for. */
export interface ServiceHost {
  readonly platform: string;
  readonly home: string;
  readonly uid: number;
  /** Folder commands are typed in. */
  readonly folder: string;
  /** This Node and this forgehand, as absolute paths without links. */
  readonly node: string;
  readonly program: string;
  readonly searchPath: string;
  readonly version: string;
  /** The file of settings that forgehand reads of itself. */
  readonly settings: string;
  /** Where the person keeps settings and state, when not in the usual folders: `XDG_CONFIG_HOME` and `XDG_STATE_HOME`. */
  readonly folders?: Readonly<Record<string, string>>;
}

export const serviceKinds = ["systemd", "launchd", "compose", "docker", "helm"] as const;
export type ServiceKind = (typeof serviceKinds)[number];
export type ServiceScope = "user" | "system";

export interface Wanted {
  readonly kind: ServiceKind;
  readonly scope: ServiceScope;
}

/** What is meant when little is said: the service manager of this system, for whoever asks. */
export function wanted(
  host: ServiceHost,
  options: { readonly kind?: ServiceKind | undefined; readonly scope?: ServiceScope | undefined },
): Wanted {
  const usual = ({ linux: "systemd", darwin: "launchd" } as const)[host.platform];
  const kind = options.kind ?? usual;
  if (kind === undefined) {
    throw new Failure(
      exitCodes.usage,
      `forgehand writes no service for ${host.platform}: run it in a container, \`forgehand service install --kind compose\``,
    );
  }
  const scope = options.scope ?? (host.uid === 0 && kind === "systemd" ? "system" : "user");
  if (kind === "launchd" && scope === "system") {
    throw new Failure(
      exitCodes.usage,
      "with launchd forgehand runs as a user, who is logged in to the agents: leave out --system",
    );
  }
  return { kind, scope };
}

/** Folders of package runners, which clear them as they like. */
const passing = /[\\/](?:_npx|dlx-[^\\/]+|bunx-[^\\/]+|xfs-[^\\/]+)[\\/]|[\\/]\.?pnpm[\\/]dlx[\\/]/u;

/** Refuses what would be gone, or out of reach, when the service starts next. */
export function checkLasting(host: ServiceHost, { kind, scope }: Wanted): void {
  if (kind !== "systemd" && kind !== "launchd") return;
  const folders = Object.values(host.folders ?? {});
  for (const path of [host.node, host.program, host.settings, host.home, ...folders]) {
    if (/\p{Cc}/u.test(path) || !isAbsolute(path)) {
      throw new Failure(exitCodes.usage, `${JSON.stringify(path)} cannot stand in a service file`);
    }
  }
  for (const path of [host.node, host.program]) {
    if (passing.test(path)) {
      throw new Failure(
        exitCodes.usage,
        `${path} lies in the cache of a package runner, which may be cleared any day: \`npm install -g forgehand\`, then \`forgehand service install\``,
      );
    }
    if (scope === "system" && kind === "systemd" && /^\/(?:home|root)\//u.test(path)) {
      throw new Failure(
        exitCodes.usage,
        `${path} lies in a person's home, which a service of the system does not see: install Node and forgehand for all (\`sudo npm install -g forgehand\`), or leave out --system`,
      );
    }
  }
}

export const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Where the service finds git and the agents: this Node's folder, then where the person finds them today. */
export function lastingPath({ node, searchPath }: ServiceHost, scope: ServiceScope): string {
  const told = scope === "system" ? systemPath : `${searchPath}:${systemPath}`;
  const folders = [dirname(node), ...told.split(":")].filter(
    (folder) =>
      isAbsolute(folder) && !passing.test(`${folder}/`) && !/\p{Cc}|\/node_modules\/\.bin$/u.test(folder),
  );
  return [...new Set(folders)].join(":");
}
