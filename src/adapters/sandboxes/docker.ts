/** A container for each order, under Docker or whatever speaks as it does. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { Trouble, type Clock } from "../../ports.ts";
import type { ProcessOrder } from "../processes/agent-process.ts";
import { carriedVariables, dockerArguments } from "./docker-arguments.ts";
import { isDead, thisProcess } from "../owner.ts";
import type { Confinement, Entered, Sandbox } from "./sandbox.ts";
import { howItFailed, runTool, type ToolAnswer } from "../processes/tool-run.ts";

export interface DockerOptions {
  /** `docker`, or where it lies. */
  readonly binary: string;
  /** What the client itself needs: PATH, HOME, DOCKER_HOST. No agent's variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly image: string;
  readonly runtime: string | undefined;
  /** `uid:gid`. */
  readonly user: string;
  readonly clock: Clock;
  /** Orders this process entered and has not left, through this sandbox or another on the same engine. */
  readonly live: Set<string>;
}

/** Until the engine must have answered. */
const askMs = 60_000;
/** Until an engine that did not answer is asked again. */
const againMs = 60_000;

const ownerSchema = z.object({ pid: z.number(), startedAt: z.string(), host: z.string() });

/** Containers carry the `RUN_ID` as a label, by which they are found and ended, also after a crash. */
export function dockerSandbox(options: DockerOptions): Sandbox {
  const { live } = options;
  return {
    name: "docker",
    enter: (order, confinement) => enter(options, order, confinement),
    recover: async () => {
      const found = await containers(options, ["label=forgehand.owner"]);
      await end(
        options,
        found.filter(({ order, owner }) => !live.has(order) && owner !== undefined && isDead(owner)),
      );
    },
    probe: () => probe(options),
  };
}

async function enter(
  options: DockerOptions,
  order: ProcessOrder,
  confinement: Confinement,
): Promise<Entered> {
  const { image, runtime, user, binary, env, live } = options;
  const { runId, cwd } = order;
  const before = await containers(options, [`label=forgehand.run=${runId}`]);
  await end(
    options,
    before.filter((one) => one.cwd === cwd && !live.has(one.order)),
  );
  const id = randomBytes(12).toString("hex");
  live.add(id);
  const labels = {
    "forgehand.run": runId,
    "forgehand.cwd": cwd,
    "forgehand.order": id,
    "forgehand.owner": JSON.stringify(thisProcess()),
  };
  // The name is the order's: a second start of it is refused by the engine.
  const container = { name: `forgehand-${id}`, image, runtime, user, labels };
  const args = dockerArguments(container, order, confinement);
  return {
    order: {
      ...order,
      file: binary,
      args,
      env: { ...carriedVariables(order.env), ...env },
      allowance: { limits: { diskMb: confinement.limits.diskMb }, folders: confinement.write },
    },
    leave: async () => {
      try {
        await end(options, await containers(options, [`label=forgehand.order=${id}`]));
      } finally {
        // One that could not be left is a stray to the next order.
        live.delete(id);
      }
    },
  };
}

interface Container {
  readonly id: string;
  readonly order: string;
  readonly cwd: string;
  readonly owner: z.output<typeof ownerSchema> | undefined;
}

const format = [
  "{{.ID}}",
  ...["order", "cwd", "owner"].map((name) => `{{json (.Label "forgehand.${name}")}}`),
].join("\t");

/** Also those that were made and never started, or have ended. */
async function containers(options: DockerOptions, filters: readonly string[]): Promise<readonly Container[]> {
  const flags = filters.flatMap((filter) => ["--filter", filter]);
  const answer = await ask(options, ["ps", "--all", "--no-trunc", ...flags, "--format", format]);
  return answer.stdout
    .split("\n")
    .filter((line) => line !== "")
    .flatMap((line) => {
      const [id = "", ...labels] = line.split("\t");
      const [order = "", cwd = "", owner = ""] = labels.map(textIn);
      return /^[0-9a-f]{12,64}$/u.test(id) ? [{ id, order, cwd, owner: ownerIn(owner) }] : [];
    });
}

async function end(options: DockerOptions, found: readonly Container[]): Promise<void> {
  if (found.length === 0) return;
  const answer = await say(options, ["rm", "--force", "--volumes", ...found.map(({ id }) => id)]);
  // One that ended by itself in between is what was wanted.
  if (answer.exit !== 0 && !/no such container|is already in progress/iu.test(answer.stderr))
    throw troubled(options, answer);
}

const say = ({ binary, env }: DockerOptions, args: readonly string[]): Promise<ToolAnswer> =>
  runTool({ file: binary, args, env, timeoutMs: askMs });

async function ask(options: DockerOptions, args: readonly string[]): Promise<ToolAnswer> {
  const answer = await say(options, args);
  if (answer.exit !== 0) throw troubled(options, answer);
  return answer;
}

function troubled({ binary, clock }: DockerOptions, answer: ToolAnswer): Trouble {
  const next = answer.absent ? "install Docker's client" : "see whether `docker info` names a server";
  return new Trouble(
    "sandbox-failed",
    `the container engine cannot be asked: ${howItFailed(binary, answer)}; ${next}`,
    {
      retryAt: clock.now() + againMs,
    },
  );
}

async function probe(options: DockerOptions): ReturnType<Sandbox["probe"]> {
  const { binary, image, runtime } = options;
  const asked = await say(options, ["version", "--format", "{{.Server.Version}}"]);
  if (asked.exit !== 0)
    return {
      found: !asked.absent,
      version: undefined,
      why: asked.absent
        ? `\`${binary}\` is not on the search path: install it with \`apt-get install docker.io\`, or your system's own command`
        : `${howItFailed(binary, asked)}: start the engine with \`systemctl start docker\`, and let this user reach it`,
    };
  const version = asked.stdout.trim();
  const info =
    runtime === undefined ? undefined : await say(options, ["info", "--format", "{{json .Runtimes}}"]);
  if (runtime !== undefined && !info?.stdout.includes(JSON.stringify(runtime)))
    return {
      found: true,
      version,
      why: `the engine has no runtime ${runtime}: install it (for gVisor \`runsc install\`, then \`systemctl restart docker\`), or unset FORGEHAND_DOCKER_RUNTIME`,
    };
  const inspected = await say(options, ["image", "inspect", "--format", "{{.Id}}", image]);
  const why =
    inspected.exit === 0
      ? undefined
      : `the image ${image} is not here: get it with \`docker pull ${image}\`, or build it and set FORGEHAND_SANDBOX_IMAGE`;
  return { found: true, version, why };
}

function textIn(json: string): string {
  try {
    return z.string().parse(JSON.parse(json));
  } catch {
    return "";
  }
}
function ownerIn(text: string): Container["owner"] {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
