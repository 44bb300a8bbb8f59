import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../../ports.ts";
import type { Agent } from "../../../ports-agents.ts";
import { errorCodes, initialized, protocolVersion } from "./messages.ts";
import { hello, otherVersion } from "./opening.ts";
import { acpWire, type Heard } from "./wire.ts";
import type { RuntimeFacts } from "../failure.ts";
import { hasKey } from "../probe.ts";
import { runProcess, type ProcessEnd } from "../../processes/agent-process.ts";
import { openInput } from "../../processes/process-input.ts";

/** Some agents take many seconds to wake up. */
const probeMs = 60_000;
let probes = 0;

interface Probed {
  readonly runtime: RuntimeFacts;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What is passed through of the operator's own variables. */
  readonly own: Readonly<Record<string, string>>;
  /** The agent's own settings of a session. */
  readonly sessionMeta: Readonly<Record<string, unknown>> | undefined;
  readonly clock: Clock;
}
type Found = Awaited<ReturnType<Agent["probe"]>>;

/** Shakes hands with an agent and asks it for nothing; without a key, also whether it would open a session. */
export async function probeAcp(probed: Probed): Promise<Found> {
  const { runtime } = probed;
  const folder = await mkdtemp(join(tmpdir(), "acp-probe-"));
  try {
    const heard = await shakeHands(probed, folder);
    if (heard.end?.failedToStart !== undefined)
      return {
        found: false,
        version: undefined,
        why: `\`${runtime.binary}\` is not on the search path: install it with \`${runtime.install}\``,
      };
    return verdict(heard, runtime);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { found: false, version: undefined, why: `\`${runtime.binary}\` could not be run: ${reason}` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Handshake {
  said: { readonly speaks: number | undefined; readonly version: string | undefined } | undefined;
  /** Why it opens no session. */
  refusal: { readonly is: "logged-out" | "unusable"; readonly why: string } | undefined;
  end: ProcessEnd | undefined;
}

async function shakeHands(probed: Probed, folder: string): Promise<Handshake> {
  const { runtime, args, env, own, sessionMeta: meta, clock } = probed;
  const heard: Handshake = { said: undefined, refusal: undefined, end: undefined };
  const input = openInput();
  const wire = acpWire(input);
  const end = (): readonly [] => {
    input.end();
    return [];
  };
  wire.call(
    "initialize",
    hello,
    (result) => {
      const { protocolVersion: speaks, agentInfo } = initialized.safeParse(result).data ?? {};
      heard.said = { speaks, version: agentInfo?.version };
      if (speaks !== protocolVersion || hasKey(own)) return end();
      return wire.call(
        "session/new",
        { cwd: folder, mcpServers: [], ...(meta === undefined ? {} : { _meta: meta }) },
        end,
        ({ code, message }) => {
          heard.refusal = { is: code === errorCodes.authRequired ? "logged-out" : "unusable", why: message };
          return end();
        },
      );
    },
    ({ message }) => {
      heard.refusal = { is: "unusable", why: message };
      return end();
    },
  );
  const nothing: Heard = { notice: () => [], request: () => undefined };
  probes += 1;
  const order = {
    file: runtime.binary,
    args,
    cwd: folder,
    env,
    stdin: undefined,
    input,
    runId: `probe-acp-${process.pid}-${probes}`,
    stallMs: probeMs,
    turnMs: probeMs,
  };
  for await (const one of runProcess(order, clock, new AbortController().signal)) {
    if (one.type === "end") heard.end = one.end;
    else wire.read(one.line, nothing);
  }
  return heard;
}

function verdict({ said, refusal, end }: Handshake, runtime: RuntimeFacts): Found {
  const { title, binary, install, login } = runtime;
  if (said === undefined) {
    const how =
      end?.stopped === undefined
        ? `ended with ${end?.signal ?? `exit code ${end?.exit}`}`
        : `did not answer in ${probeMs / 1000} s`;
    const why = refusal === undefined ? how : `refused: ${refusal.why}`;
    return {
      found: true,
      version: undefined,
      why: `\`${binary}\` does not speak the Agent Client Protocol, it ${why}: check \`command\`, or install it anew with \`${install}\``,
      problem: "unusable",
    };
  }
  const { version, speaks } = said;
  if (speaks !== protocolVersion)
    return { found: true, version, why: otherVersion(speaks, runtime).why, problem: "unusable" };
  if (refusal === undefined) return { found: true, version, why: undefined };
  return refusal.is === "logged-out"
    ? { found: true, version, why: `${title} is not logged in: ${login}` }
    : { found: true, version, why: `${title} opens no session: ${refusal.why}`, problem: "unusable" };
}
