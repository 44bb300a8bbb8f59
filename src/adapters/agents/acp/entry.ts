import { z } from "zod";
import type { Agent, Family } from "../../../ports-agents.ts";
import { families, familyOf } from "../../../review/pairing.ts";
import { knownAgents } from "./agents.ts";
import { acpFurnisher } from "./homes.ts";
import { acpAgent } from "./acp.ts";
import { isNeverPassed } from "../environment.ts";
import { protocolOf, type AgentGround } from "../agents-file.ts";
import { faultOfLogin } from "../login-files.ts";

/** A name of the operator's environment that an entry may have passed on. */
export const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/u, "the name of an environment variable is expected")
  .refine((name) => !isNeverPassed(name), "this variable is never passed to an agent");
/** A file below the operator's home. */
const loginFile = z
  .string()
  .min(1)
  .max(300)
  .superRefine((path, context) => {
    const fault = faultOfLogin(path);
    if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
  });
const words = z.string().trim().min(1).max(500);
const version = z.string().regex(/^\d+\.\d+\.\d+$/u, "a version like 1.18.0 is expected");
const known = Object.keys(knownAgents);

/** What may stand in an entry of the agents file for an agent of the Agent Client Protocol. */
const acpEntry = z
  .strictObject({
    protocol: z.literal("acp").optional(),
    use: z.enum(known as [string, ...string[]]).optional(),
    command: z.array(z.string().min(1)).min(1).max(50).optional(),
    title: words.optional(),
    family: z.enum(families).optional(),
    model: z
      .string()
      .regex(/^\w[^\s]{0,127}$/u, "the name of a model is expected")
      .optional(),
    pinned: z.boolean().default(false),
    env: z.array(variable).max(50).default([]),
    set: z.record(variable, z.string().max(10_000)).default({}),
    setup: words.optional(),
    login: words.optional(),
    logins: z.array(loginFile).max(20).default([]),
    version: z.strictObject({ from: version, below: version }).optional(),
    modes: z.strictObject({ read: words.optional(), write: words.optional() }).optional(),
    auth: words.optional(),
    meta: z.record(z.string(), z.unknown()).optional(),
  })
  .superRefine((entry, context) => {
    const fault = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: [path], message });
    if (entry.use === undefined && entry.command === undefined)
      fault("command", `\`command\`, or \`use\` with one of ${known.join(", ")}`);
    if (entry.pinned && (entry.model === undefined || vouchedFor(entry) === "unknown"))
      fault("pinned", "a `model` beside it whose maker is known, or a `family`, to vouch for");
  });
type AcpEntry = z.output<typeof acpEntry>;

/** `protocol: acp`: whatever speaks it, by a command or by the name of one we know. */
export const acpProtocol = protocolOf(acpEntry, agentOf);

function agentOf(name: string, entry: AcpEntry, ground: AgentGround): Agent {
  const base = entry.use === undefined ? undefined : knownAgents[entry.use];
  const title = entry.title ?? base?.title ?? name;
  const [binary = name, ...args] = entry.command ?? base?.command ?? [name];
  const host = ground.host([...(base?.env ?? []), ...entry.env]);
  const { logins } = entry;
  const only = base?.only ?? "unknown";
  return acpAgent({
    name,
    title,
    command: [binary, ...args],
    // What a reviewer is chosen by; what counts is what is observed of it then.
    family: entry.family ?? (entry.model === undefined ? (base?.family ?? "unknown") : familyOf(entry.model)),
    install: entry.setup ?? base?.install ?? `install \`${binary}\` as its makers say`,
    login: entry.login ?? base?.login ?? `log in to ${title} as its makers say`,
    switches: {
      always: { ...base?.switches.always, ...entry.set },
      read: base?.switches.read ?? {},
      write: base?.switches.write ?? {},
    },
    manner: {
      model: entry.model,
      vouched: entry.pinned ? vouchedFor(entry) : only,
      only,
      modes: entry.modes ?? base?.modes ?? {},
      authMethod: entry.auth ?? base?.authMethod,
      sessionMeta: entry.meta ?? base?.sessionMeta,
    },
    tested: entry.version ?? base?.tested,
    furnish: (env, model) => acpFurnisher(entry.use, { title, host, env, model, logins }),
    host,
    quarters: ground.quartersOf?.(name),
    stateDir: ground.stateDir,
    clock: ground.clock,
  });
}

const vouchedFor = ({
  family,
  model,
}: {
  readonly family?: Family | undefined;
  readonly model?: string | undefined;
}): Family => family ?? (model === undefined ? "unknown" : familyOf(model));
