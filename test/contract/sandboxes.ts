import { spawn } from "node:child_process";
import { once } from "node:events";
import { homedir } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { bubblewrapSandbox } from "../../src/adapters/sandbox-bubblewrap.ts";
import { localSandbox } from "../../src/adapters/sandbox-local.ts";
import type { Sandbox } from "../../src/adapters/sandbox.ts";
import type { SandboxStage } from "./sandbox.contract.ts";

/** The sandboxes that need nothing but this host. */
export function sandboxOfThisHost(name: string): Sandbox {
  return name === "local"
    ? localSandbox()
    : bubblewrapSandbox({
        binary: "bwrap",
        searchPath: "/usr/local/bin:/usr/bin:/bin",
        secret: [homedir()],
        read: [],
      });
}

const child = fileURLToPath(new URL("./sandbox-crash-child.ts", import.meta.url));

/** A stage on one of them; the crash is that of a real process. */
export function stageOfThisHost(name: string): SandboxStage {
  return {
    sandbox: sandboxOfThisHost(name),
    crash: async (order, confinement) => {
      const running = spawn(
        process.execPath,
        ["--conditions=forgehand-source", child, name, JSON.stringify(order), JSON.stringify(confinement)],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      const [line] = await once(createInterface(running.stdout), "line");
      if (line !== "ready") throw new Error(`it said ${String(line)}`);
      running.kill("SIGKILL");
      await once(running, "exit");
    },
    close: async () => undefined,
  };
}
