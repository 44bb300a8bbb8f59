import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { networkOf, usualSandbox } from "../../config-sandbox.ts";
import type { Environment } from "../../config-environment.ts";
import { systemClock } from "../clock.ts";
import type { Premises, Quarters } from "./premises.ts";
import { bubblewrapSandbox } from "./bubblewrap.ts";
import { localSandbox } from "./local.ts";
import { openElsewhere } from "./sandboxes-elsewhere.ts";
import type { Sandbox, SandboxName } from "./sandbox.ts";

type Env = Readonly<Record<string, string | undefined>>;
type Told = Pick<Environment, "sandbox" | "dataDir" | "agentHome">;

/** The sandboxes of this host as the operator chose them. */
export interface Housing {
  /** Where a runtime lives. */
  quartersOf(runtime: string): Quarters;
  /** Where a repository's commands and hooks run. */
  readonly commands: Premises;
  /** Each that is in use. */
  readonly sandboxes: readonly Sandbox[];
  /** Ends and brings home what processes of ours that are gone left in them; `warn` hears what stood in the way. */
  recover(warn: (message: string) => void): Promise<void>;
}

/** Throws a `Problem` when the operator wants what a sandbox cannot do. */
export function openHousing(environment: Told, env: Env): Housing {
  const { usual, byRuntime, network, commandNetwork, limits } = environment.sandbox ?? usualSandbox;
  const opened = new Map<SandboxName, Sandbox>();
  const sandboxNamed = (name: SandboxName): Sandbox => {
    const sandbox = opened.get(name) ?? openSandbox(name, environment, env);
    opened.set(name, sandbox);
    return sandbox;
  };
  for (const name of [usual, ...Object.values(byRuntime)]) sandboxNamed(name);
  return {
    quartersOf: (runtime) => {
      const name = byRuntime[runtime] ?? usual;
      return {
        sandbox: sandboxNamed(name),
        network: networkOf(name, network),
        limits,
        root: resolve(environment.dataDir, "agents", "lodgings"),
      };
    },
    commands: {
      sandbox: sandboxNamed(usual),
      network: usual === "local" ? "open" : commandNetwork,
      limits,
    },
    sandboxes: [...opened.values()],
    recover: async (warn) => {
      for (const { name, recover } of opened.values())
        await recover?.().catch((error: unknown) =>
          warn(
            `the sandbox ${name} was not put in order: ${error instanceof Error ? error.message : String(error)}`,
          ),
        );
    },
  };
}

function openSandbox(name: SandboxName, { dataDir, agentHome, sandbox }: Told, env: Env): Sandbox {
  if (name === "local") return localSandbox();
  if (name === "bubblewrap")
    return bubblewrapSandbox({
      binary: "bwrap",
      searchPath: env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
      secret: [env["HOME"] ?? homedir(), resolve(dataDir), ...(agentHome === undefined ? [] : [agentHome])],
      read: sandbox?.read ?? [],
    });
  const user = process.geteuid?.() ?? 0;
  const group = process.getegid?.() ?? 0;
  const host = { dataDir, env, user, group, clock: systemClock() };
  return openElsewhere(name, (sandbox ?? usualSandbox).elsewhere, host);
}

/** Private folder for what each repository's commands keep at home: what one leaves there, no other may find. */
export const commandHome = (dataDir: string, repository: string): string =>
  join(resolve(dataDir), "home", repository);
