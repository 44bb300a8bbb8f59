import { spawn } from "node:child_process";
import { once } from "node:events";
import { homedir } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { bubblewrapSandbox } from "../../src/adapters/sandboxes/bubblewrap.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { dockerSandbox } from "../../src/adapters/sandboxes/docker.ts";
import { kubernetesSandbox } from "../../src/adapters/sandboxes/kubernetes.ts";
import { localSandbox } from "../../src/adapters/sandboxes/local.ts";
import { sshSandbox, type SshOptions } from "../../src/adapters/sandboxes/ssh.ts";
import type { Sandbox } from "../../src/adapters/sandboxes/sandbox.ts";
import type { SandboxStage } from "./sandbox.contract.ts";

/** What a stage tells a process that is to crash: the options that can be written down. */
type Written =
  | ({ readonly engine: "ssh" } & Pick<SshOptions, "hosts" | "stateDir" | "configFile">)
  | {
      readonly engine: "docker" | "kubernetes";
      readonly image: string;
      readonly namespace: string;
      readonly stateDir: string;
    };
export const engineWritten = (options: Written): string => JSON.stringify(options);

function sandboxElsewhere(written: Written): Sandbox {
  const env = Object.fromEntries(
    ["PATH", "HOME", "DOCKER_HOST", "KUBECONFIG"].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  // A set of its own, as another process would have.
  const common = { env, clock: systemClock(), live: new Set<string>() };
  if (written.engine === "ssh") return sshSandbox({ ...common, ...written, binary: "ssh" });
  const { image, namespace, stateDir } = written;
  const [user, group] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  if (written.engine === "docker")
    return dockerSandbox({
      ...common,
      image,
      binary: "docker",
      runtime: undefined,
      user: `${user}:${group}`,
    });
  return kubernetesSandbox({
    ...common,
    image,
    namespace,
    stateDir,
    binary: "kubectl",
    context: undefined,
    runtimeClass: undefined,
    user: user === 0 ? 1e3 : user,
  });
}

/** The sandboxes of this host by name, or one elsewhere as it was written down. */
export function sandboxOfThisHost(name: string): Sandbox {
  // Written by a stage itself.
  if (name.startsWith("{")) return sandboxElsewhere(JSON.parse(name) as Written);
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
