/** What the operator says of sandboxes that are no part of this host. */
import { z } from "zod";
import { readSshHosts, type SshHost } from "./adapters/sandboxes/ssh-hosts.ts";

export interface Elsewhere {
  /** With the agents in it; for docker and kubernetes. */
  readonly image?: string | undefined;
  /** Such as gVisor's `runsc`. */
  readonly dockerRuntime?: string | undefined;
  readonly kubernetesContext?: string | undefined;
  /** `default` when left out. */
  readonly kubernetesNamespace?: string | undefined;
  readonly kubernetesRuntimeClass?: string | undefined;
  readonly sshHosts?: readonly SshHost[] | undefined;
  /** Instead of the operator's own. */
  readonly sshConfig?: string | undefined;
}

/** Never a flag. */
const named = (what: string) => () => z.string().regex(/^\w[^\s]{0,252}$/u, `${what} is expected`);
const dnsName = (what: string) => () =>
  z.string().regex(/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/u, `${what} is expected`);

/** Each by the name of its setting. */
export const elsewhereSchemas = {
  SANDBOX_IMAGE: named("the name of an image, such as registry/agents:1,"),
  DOCKER_RUNTIME: named("the name of a runtime, such as runsc,"),
  KUBERNETES_CONTEXT: named("the name of a context"),
  KUBERNETES_NAMESPACE: dnsName("the name of a namespace"),
  KUBERNETES_RUNTIME_CLASS: dnsName("the name of a runtime class"),
  SSH_HOSTS: () =>
    z.string().transform((text, context): readonly SshHost[] => {
      const hosts = readSshHosts(text);
      if (!("wrong" in hosts)) return hosts;
      context.addIssue({ code: "custom", message: hosts.wrong });
      return z.NEVER;
    }),
  SSH_CONFIG: () => z.string().startsWith("/", "an absolute path is expected"),
} as const;
