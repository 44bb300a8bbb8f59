import { join } from "node:path";
import { z } from "zod";
import { variable } from "./acp/entry.ts";
import { protocolOf } from "./agents-file.ts";
import { codexAppServer } from "./codex-app-server.ts";
import { pi } from "./pi.ts";

/** What may stand in an entry for a program whose own way of speaking we know. */
const entry = {
  command: z.string().min(1).max(1_000).optional(),
  model: z
    .string()
    .regex(/^\w[^\s]{0,127}$/u, "the name of a model is expected")
    .optional(),
  env: z.array(variable).max(50).default([]),
};

/** Keys of the providers it knows by itself, and where its own folder lies. */
const ofPi = [
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_OAUTH_TOKEN",
  "OPENAI_API_KEY",
  "GEMINI_API_KEY",
  "MISTRAL_API_KEY",
  "DEEPSEEK_API_KEY",
  "XAI_API_KEY",
  "OPENROUTER_API_KEY",
  "PI_CODING_AGENT_DIR",
] as const;

/** `protocol: pi`: pi in its JSON mode. */
export const piProtocol = protocolOf(
  z.strictObject({ protocol: z.literal("pi"), ...entry }),
  (name, { command, model, env }, ground) =>
    pi({
      name,
      binary: command ?? "pi",
      model,
      host: ground.host([...ofPi, ...env]),
      quarters: ground.quartersOf?.(name),
      stateDir: ground.stateDir,
      clock: ground.clock,
    }),
);

/** `protocol: codex-app-server`: Codex, spoken with over stdio. */
export const codexAppServerProtocol = protocolOf(
  z.strictObject({ protocol: z.literal("codex-app-server"), ...entry }),
  (name, { command, model, env }, ground) => {
    const host = ground.host(["OPENAI_API_KEY", "CODEX_API_KEY", "CODEX_HOME", ...env]);
    return codexAppServer({
      name,
      binary: command ?? "codex",
      model,
      host,
      codexHome: host.own["CODEX_HOME"] ?? join(host.home, ".codex"),
      quarters: ground.quartersOf?.(name),
      stateDir: ground.stateDir,
      clock: ground.clock,
    });
  },
);
