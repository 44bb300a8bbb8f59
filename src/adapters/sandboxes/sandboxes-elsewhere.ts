/** Sandboxes that are no part of this host, as the operator set them up. */
import { join, resolve } from "node:path";
import { Problem } from "../../problems.ts";
import type { Elsewhere } from "../../config-elsewhere.ts";
import type { Clock } from "../../ports.ts";
import { dockerSandbox } from "./docker.ts";
import { kubernetesSandbox } from "./kubernetes.ts";
import { sshSandbox } from "./ssh.ts";
import type { Sandbox, SandboxName } from "./sandbox.ts";

type Env = Readonly<Record<string, string | undefined>>;
export type NameElsewhere = Exclude<SandboxName, "local" | "bubblewrap">;

/** Shared by all that this process opens: what one of them entered is no stray to another. */
const live = { docker: new Set<string>(), kubernetes: new Set<string>(), ssh: new Set<string>() };
/** Whom a pod runs as when we are root ourselves. */
const nobodySpecial = 1000;

/** Throws a `Problem` that names the setting it lacks. */
export function openElsewhere(
  name: NameElsewhere,
  told: Elsewhere,
  host: {
    readonly dataDir: string;
    readonly env: Env;
    readonly user: number;
    readonly group: number;
    readonly clock: Clock;
  },
): Sandbox {
  const { dataDir, env, user, group, clock } = host;
  const stateDir = join(resolve(dataDir), "agents", "elsewhere");
  switch (name) {
    case "docker":
      return dockerSandbox({
        binary: "docker",
        env: only(env, /^(?:PATH|HOME|XDG_RUNTIME_DIR|DOCKER_[A-Z_]+)$/u),
        image: needed(
          told.image,
          "SANDBOX_IMAGE",
          "the sandbox docker runs agents in an image that has them",
        ),
        runtime: told.dockerRuntime,
        user: `${user}:${group}`,
        clock,
        live: live.docker,
      });
    case "kubernetes":
      return kubernetesSandbox({
        binary: "kubectl",
        // Clusters of the clouds have kubectl ask a helper of theirs for the login.
        env: only(
          env,
          /^(?:PATH|HOME|KUBECONFIG|(?:AWS|AZURE|GOOGLE|CLOUDSDK|USE_GKE)_[A-Z_]+|HTTPS?_PROXY|NO_PROXY)$/u,
        ),
        context: told.kubernetesContext,
        namespace: told.kubernetesNamespace ?? "default",
        image: needed(
          told.image,
          "SANDBOX_IMAGE",
          "the sandbox kubernetes runs agents in an image that has them",
        ),
        runtimeClass: told.kubernetesRuntimeClass,
        user: user === 0 ? nobodySpecial : user,
        stateDir,
        clock,
        live: live.kubernetes,
      });
    case "ssh":
      return sshSandbox({
        binary: "ssh",
        env: only(env, /^(?:PATH|HOME|USER|LOGNAME|SSH_AUTH_SOCK)$/u),
        hosts: needed(
          told.sshHosts,
          "SSH_HOSTS",
          "the sandbox ssh runs agents on hosts such as user@build-1",
        ),
        configFile: told.sshConfig,
        stateDir,
        clock,
        live: live.ssh,
      });
  }
}

function needed<Value>(value: Value | undefined, setting: string, why: string): Value {
  if (value !== undefined) return value;
  throw new Problem("environment-wrong", {
    name: `FORGEHAND_${setting}`,
    wrong: `it is not set, and ${why}`,
  });
}

function only(env: Env, names: RegExp): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && names.test(name) ? [[name, value]] : [],
    ),
  );
}
