/** What is said to a host by the `ssh` command: as whom, and with everything that could ask, forward or share switched off. */
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { Trouble, type Clock } from "../../ports.ts";
import { word } from "./remote-scripts.ts";
import type { SshHost } from "./ssh-hosts.ts";
import { howItFailed, runTool, type ToolAnswer } from "../processes/tool-run.ts";

export interface SshClient {
  /** `ssh`, or where it lies. */
  readonly binary: string;
  /** What ssh itself needs to know of the operator: PATH, HOME, SSH_AUTH_SOCK. No agent's variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Instead of the operator's own configuration. */
  readonly configFile: string | undefined;
  readonly clock: Clock;
}

/** Until a host must have answered a question. */
const askMs = 60_000;
/** For a worktree's way there or back. */
const carryMs = 15 * 60_000;
/** Until a host that did not answer is asked again. */
const againMs = 60_000;
/** What ssh ends with when it is the connection that failed. */
const noConnection = 255;

/** What stands between `ssh` and the command; \`more\` are further options. */
export function sshArguments(
  client: SshClient,
  host: SshHost,
  more: readonly string[] = [],
): readonly string[] {
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "ControlMaster=no",
    "ControlPath=none",
    "RequestTTY=no",
    "ConnectTimeout=15",
    // A host that is silent for a minute is lost.
    "ServerAliveInterval=15",
    "ServerAliveCountMax=4",
    "LogLevel=ERROR",
    ...more,
  ];
  return [
    ...(client.configFile === undefined ? [] : ["-F", client.configFile]),
    ...options.flatMap((option) => ["-o", option]),
    ...(host.port === undefined ? [] : ["-p", String(host.port)]),
    "--",
    host.target,
  ];
}

/** Lets a shell there carry out the script. */
export function tellHost(
  client: SshClient,
  host: SshHost,
  script: string,
  take?: (stdout: Readable) => Promise<void>,
): Promise<ToolAnswer> {
  return reach(client, host, {
    command: "exec sh -s",
    input: script,
    take,
    timeoutMs: take === undefined ? askMs : carryMs,
  });
}

/** Sends a tar stream to be laid into a new folder there; its name is one that no shell misreads. */
export function sendToHost(
  client: SshClient,
  host: SshHost,
  root: string,
  stream: Readable,
): Promise<ToolAnswer> {
  const command = `umask 077 && mkdir -p ${dirname(root)} && mkdir ${root} && cd ${root} && exec tar -xpof -`;
  return reach(client, host, { command: `exec sh -c ${word(command)}`, input: stream, timeoutMs: carryMs });
}

async function reach(
  client: SshClient,
  host: SshHost,
  order: {
    readonly command: string;
    readonly input: string | Readable;
    readonly take?: ((stdout: Readable) => Promise<void>) | undefined;
    readonly timeoutMs: number;
  },
): Promise<ToolAnswer> {
  const { command, input, take, timeoutMs } = order;
  const answer = await runTool({
    file: client.binary,
    args: [...sshArguments(client, host, ["ClearAllForwardings=yes"]), command],
    env: client.env,
    input,
    take,
    timeoutMs,
  });
  if (answer.absent || answer.timedOut || answer.exit === noConnection || answer.exit === undefined)
    throw unreachable(client, host, answer);
  return answer;
}

function unreachable({ binary, clock }: SshClient, host: SshHost, answer: ToolAnswer): Trouble {
  const next = answer.absent
    ? "install it with `apt-get install openssh-client`"
    : `try \`ssh${host.port === undefined ? "" : ` -p ${host.port}`} ${host.target} true\` as the user forgehand runs as`;
  return new Trouble(
    "sandbox-unreachable",
    `${host.name} cannot be reached: ${howItFailed(binary, answer)}; ${next}`,
    {
      retryAt: clock.now() + againMs,
    },
  );
}

/** Whether it is the connection that failed. */
export const isUnreachable = (error: unknown): error is Trouble =>
  error instanceof Trouble && error.code === "sandbox-unreachable";
