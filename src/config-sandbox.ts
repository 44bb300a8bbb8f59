/** Where the operator lets agents and a repository's commands run. */
import { z } from "zod";
import {
  sandboxNames,
  type Network,
  type ResourceLimits,
  type SandboxName,
} from "./adapters/sandboxes/sandbox.ts";
import type { Elsewhere } from "./config-elsewhere.ts";
import { Problem } from "./problems.ts";

export interface SandboxSettings {
  readonly usual: SandboxName;
  /** Of runtimes that have another. */
  readonly byRuntime: Readonly<Record<string, SandboxName>>;
  /** Of agents; each sandbox has a usual one. */
  readonly network: Network | undefined;
  /** Of a repository's commands and hooks. */
  readonly commandNetwork: "none" | "open";
  /** Folders that all may read. */
  readonly read: readonly string[];
  readonly limits: ResourceLimits;
  /** Of those that are no part of this host. */
  readonly elsewhere: Elsewhere;
}
export const usualSandbox: SandboxSettings = {
  usual: "local",
  byRuntime: {},
  network: undefined,
  commandNetwork: "open",
  read: [],
  limits: {},
  elsewhere: {},
};

/** What each can promise of the network; the first is what it does when nothing is said. */
const networks: Readonly<Record<SandboxName, readonly [Network, ...Network[]]>> = {
  local: ["open"],
  bubblewrap: ["model", "open", "none"],
  docker: ["model", "open", "none"],
  kubernetes: ["open", "none"],
  ssh: ["open", "model", "none"],
};

const isSandbox = (name: string): name is SandboxName => sandboxNames.some((one) => one === name);
const known = `one of ${sandboxNames.join(", ")} is expected`;

/** `bubblewrap`, or `local,codex=bubblewrap`: the usual one first, then those of single runtimes. */
export const sandboxSchema = () =>
  z.string().transform((text, context) => {
    const byRuntime: Record<string, SandboxName> = {};
    let usual: SandboxName | undefined;
    for (const part of text.split(",").map((one) => one.trim())) {
      const [first = "", second] = part.split("=", 2).map((one) => one.trim());
      const named = second ?? first;
      if (!isSandbox(named) || first === "") {
        context.addIssue({ code: "custom", message: `${known}, then perhaps \`,codex=bubblewrap\`` });
        return z.NEVER;
      }
      if (second === undefined) usual = named;
      else byRuntime[first] = named;
    }
    return { usual: usual ?? usualSandbox.usual, byRuntime };
  });
/** Cores, also parts of one. */
export const cpusSchema = () =>
  z
    .string()
    .regex(/^\d{1,4}(?:\.\d{1,3})?$/u, "a number such as 1.5 is expected")
    .transform(Number)
    .pipe(z.number().min(0.1, "at least 0.1 is expected"));

/** Absolute paths with colons between them. */
export const foldersSchema = () =>
  z
    .string()
    .transform((text) => text.split(":").filter((path) => path !== ""))
    .refine(
      (paths) => paths.every((path) => path.startsWith("/")),
      "absolute paths with `:` between are expected",
    );

/** What this sandbox does of the network when the operator says so. Throws a `Problem` when it cannot. */
export function networkOf(sandbox: SandboxName, wanted: Network | undefined): Network {
  const possible = networks[sandbox];
  const chosen = wanted ?? possible[0];
  if (possible.includes(chosen)) return chosen;
  throw new Problem("environment-wrong", {
    name: "FORGEHAND_SANDBOX_NETWORK",
    wrong: `the sandbox ${sandbox} cannot keep \`${chosen}\`, only ${possible.join(" or ")}; bubblewrap can`,
  });
}
