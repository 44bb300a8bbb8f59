import { z } from "zod";
import { plainName } from "./config-roles.ts";
import { readYaml } from "./config-yaml.ts";
import { Problem } from "./problems.ts";
import { Trouble } from "./ports.ts";
import type { McpServer, WorkOrder } from "./ports-agents.ts";

/** Servers of tools that the operator offers under one name. Only an operator can: they run code on this host. */
export interface ServerBundle {
  /** What its tools may do: who only looks gets none that `write`. */
  readonly access: WorkOrder["access"];
  readonly servers: readonly McpServer[];
}
export type ServerBundles = ReadonlyMap<string, ServerBundle>;

/** Agents hold no login of forge or tracker, and nothing that changes where their processes find code. */
const forbidden =
  /^(?:PATH|HOME|TMPDIR|(?:FORGEHAND|GITHUB|GH|GITLAB|LINEAR|GIT|SSH|LD|DYLD|NODE|NPM)(?:_.*)?)$/iu;

const values = z.record(z.string(), z.string().max(20_000)).default({});
const server = z
  .strictObject({
    command: z.array(z.string().min(1).max(2_000)).min(1).max(50).optional(),
    env: values,
    url: z.url({ protocol: /^https?$/u, error: "an http or https URL" }).optional(),
    headers: values,
  })
  .superRefine(({ command, env, url, headers }, context) => {
    const wrong = (path: readonly string[], message: string): void =>
      context.addIssue({ code: "custom", path: [...path], message });
    if ((command === undefined) === (url === undefined)) wrong([], "a server has either `command` or `url`");
    for (const name of Object.keys(env)) {
      if (command === undefined) wrong(["env", name], "only a `command` has variables");
      else if (!/^[A-Za-z_]\w{0,99}$/u.test(name)) wrong(["env", name], "that is no name of a variable");
      else if (forbidden.test(name))
        wrong(["env", name], "no agent is given a variable of this name; call it otherwise");
    }
    for (const name of Object.keys(headers)) {
      if (url === undefined) wrong(["headers", name], "only a `url` has headers");
      else if (!/^[\w-]{1,100}$/u.test(name)) wrong(["headers", name], "that is no name of a header");
    }
  });
const bundle = z.strictObject({
  access: z.enum(["read", "write"]).default("write"),
  servers: z.record(plainName, server, { error: "servers by name, each with `command` or `url`" }),
});
const file = z.record(plainName, bundle);

/** Reads the operator's file of bundles; throws a `Problem` with the place of what is wrong. Undefined: there is no such file. */
export function readServerBundles(
  path: string,
  text: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): ServerBundles {
  if (text === undefined) return new Map();
  const wrong = (why: string, place = ""): Problem =>
    new Problem("servers-wrong", { path: path + place, why });
  const read = readYaml(file, text);
  if ("problems" in read) {
    const [first] = read.problems;
    throw wrong(first?.message ?? "it is malformed", first && `:${first.line}:${first.column}`);
  }
  const owners = new Map<string, string>();
  const bundles = Object.entries(read.value).map(([name, { access, servers }]): [string, ServerBundle] => [
    name,
    {
      access,
      servers: Object.entries(servers).map(([id, one]) => {
        const other = owners.get(id);
        // An agent knows a server's tools by its name, and may be given several bundles.
        if (other !== undefined) throw wrong(`Both \`${other}\` and \`${name}\` have a server \`${id}\`.`);
        owners.set(id, name);
        return serverFrom(id, one, (text, what) =>
          filled(text, env, (why) => wrong(`\`${name}.servers.${id}.${what}\`: ${why}`)),
        );
      }),
    },
  ]);
  return new Map(bundles);
}

function serverFrom(
  name: string,
  { command, env, url, headers }: z.infer<typeof server>,
  fill: (text: string, what: string) => string,
): McpServer {
  if (url !== undefined)
    return { is: "http", name, url, headers: mapped(headers, (text, key) => fill(text, `headers.${key}`)) };
  const [first = "", ...args] = command ?? [];
  return {
    is: "process",
    name,
    command: first,
    args,
    env: mapped(env, (text, key) => fill(text, `env.${key}`)),
  };
}

const mapped = (
  record: Readonly<Record<string, string>>,
  change: (text: string, key: string) => string,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(record).map(([key, text]) => [key, change(text, key)]));

/** With `${NAME}` taken from the environment of this process, so that no secret need stand in the file. */
function filled(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  wrong: (why: string) => Problem,
): string {
  return text.replaceAll(/\$\{(\w+)\}/gu, (_, name: string) => {
    if (name.startsWith("FORGEHAND_")) throw wrong(`${name} is forgehand's own and goes to no server.`);
    const value = env[name];
    if (value === undefined) throw wrong(`the variable ${name} is not set.`);
    return value;
  });
}

/**
 * The servers behind the names of bundles. Throws a permanent `Trouble` when this host has no such bundle, or when its
 * tools may write and the order only looks.
 */
export function serversOf(
  bundles: ServerBundles,
  names: readonly string[],
  access: WorkOrder["access"],
): readonly McpServer[] {
  return [...new Set(names)].flatMap((name) => {
    const found = bundles.get(name);
    if (found === undefined) {
      const there = [...bundles.keys()].map((one) => `\`${one}\``).join(", ");
      throw new Trouble(
        "servers-missing",
        `this host has no MCP bundle \`${name}\`; there is ${there === "" ? "none" : there}. Its operator can add it to the file of bundles, or take the name out of \`runtime.mcp\``,
        { permanent: true },
      );
    }
    if (access === "read" && found.access === "write")
      throw new Trouble(
        "servers-write",
        `the MCP bundle \`${name}\` may write, and this role only looks. Its operator can mark it \`access: read\`, or take the name out of \`runtime.mcp\``,
        { permanent: true },
      );
    return found.servers;
  });
}
