import { spawn } from "node:child_process";
import { once } from "node:events";
import { homedir } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { bubblewrapSandbox } from "../../src/adapters/sandbox-bubblewrap.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { localSandbox } from "../../src/adapters/sandbox-local.ts";
import { sshSandbox, type SshOptions } from "../../src/adapters/sandbox-ssh.ts";
import type { Sandbox } from "../../src/adapters/sandbox.ts";
import type { SandboxStage } from "./sandbox.contract.ts";

/** What an ssh stage tells a process that is to crash: the options that can be written down. */
type WrittenSsh = Pick<SshOptions, "hosts" | "stateDir" | "configFile">;
export const sshWritten = (options: WrittenSsh): string => JSON.stringify(options);

/** The sandboxes of this host by name, or an ssh one as it was written down. */
export function sandboxOfThisHost(name: string): Sandbox {
  if (name.startsWith("{"))
    return sshSandbox({
      // Written by the stage itself.
      ...(JSON.parse(name) as WrittenSsh),
      binary: "ssh",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: homedir() },
      clock: systemClock(),
    });
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
