/** What the operator's own choice of sandbox opens to an agent: told as a weakness of that choice, with the setting to change. */
import { networkOf, usualSandbox, type SandboxSettings } from "../config-sandbox.ts";
import type { Area } from "./deeds.ts";

export interface Opening {
  readonly why: string;
  readonly fix: string;
}

const closeIt = "FORGEHAND_SANDBOX=bubblewrap (or docker, kubernetes); `forgehand doctor` says what it lacks";
const local = "the sandbox `local` is this host as its user sees it";

/** By area; what is not here is promised. */
export function openedBy(sandbox: SandboxSettings = usualSandbox): ReadonlyMap<Area, Opening> {
  const { usual, byRuntime, network } = sandbox;
  const used = new Set([usual, ...Object.values(byRuntime)]);
  const openings = new Map<Area, Opening>();
  const isOpen = [...used].some((name) => networkOf(name, network) === "open");
  if (used.has("local"))
    for (const area of ["home", "processes", "data", "files", "network"] as const)
      openings.set(area, { why: local, fix: closeIt });
  else if (isOpen)
    openings.set("network", {
      why: "the network of agents is open",
      fix: "FORGEHAND_SANDBOX_NETWORK=model (or none)",
    });
  return openings;
}
