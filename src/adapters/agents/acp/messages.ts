/** What is read of the Agent Client Protocol, version 1: JSON-RPC, one message a line. Extra fields are left alone. */
import { z } from "zod";

/** Fields nobody promised may be absent, null or of another type: they are then unknown, and the message still counts. */
const maybe = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);
const text = maybe(z.string());
const number = maybe(z.number().nonnegative());
const anything = z.unknown().optional();

export const protocolVersion = 1;
/** What JSON-RPC and the protocol call these troubles. */
export const errorCodes = { methodNotFound: -32601, authRequired: -32000, notFound: -32002 } as const;

const error = z.object({ code: z.number(), message: z.string().catch(""), data: anything });
export type AcpError = z.infer<typeof error>;
/** Any message: a request has method and id, a notification only a method, an answer only an id. */
export const message = z.object({
  id: maybe(z.union([z.number(), z.string()])),
  method: text,
  params: anything,
  result: anything,
  error: maybe(error),
});

export const initialized = z.object({
  protocolVersion: maybe(z.number()),
  agentInfo: maybe(z.object({ name: text, version: text })),
  agentCapabilities: maybe(
    z.object({
      loadSession: maybe(z.boolean()),
      sessionCapabilities: maybe(z.object({ resume: anything })),
      mcpCapabilities: maybe(z.object({ http: maybe(z.boolean()) })),
    }),
  ),
});

const choice = z.object({ value: text, name: text });
const configOption = z.object({
  id: z.string(),
  category: text,
  currentValue: text,
  options: maybe(
    z.array(z.union([choice.extend({ value: z.string() }), z.object({ options: z.array(choice) })])),
  ),
});
export type ConfigOption = z.infer<typeof configOption>;
const configOptions = maybe(z.array(z.union([configOption, z.null()]).catch(null)));
/** What an agent says of a session when it makes or opens one. */
export const sessionState = z.object({
  sessionId: text,
  modes: maybe(z.object({ currentModeId: text, availableModes: maybe(z.array(z.object({ id: text }))) })),
  models: maybe(
    z.object({
      currentModelId: text,
      availableModels: maybe(z.array(z.object({ modelId: text, name: text }))),
    }),
  ),
  configOptions,
});
export type SessionState = z.infer<typeof sessionState>;

const place = z.object({ path: z.string() });
/** A use of a tool, as it is told or as leave is asked for it. */
export const toolCall = z.object({
  toolCallId: text,
  title: text,
  name: text,
  kind: text,
  status: text,
  rawInput: anything,
  locations: maybe(z.array(place)),
  content: maybe(z.array(z.object({ type: text, path: text }))),
  _meta: maybe(z.object({ toolName: text, claudeCode: maybe(z.object({ toolName: text })) })),
});
export type ToolCall = z.infer<typeof toolCall>;

export const permissionRequest = z.object({
  toolCall,
  options: z.array(z.object({ optionId: z.string(), kind: text })),
});
export type PermissionRequest = z.infer<typeof permissionRequest>;

export const tokenCounts = z.object({
  inputTokens: number,
  outputTokens: number,
  totalTokens: number,
  cachedReadTokens: number,
  cachedInputTokens: number,
  cachedWriteTokens: number,
  thoughtTokens: number,
  reasoningOutputTokens: number,
});
export type TokenCounts = z.infer<typeof tokenCounts>;

export const update = z.object({
  sessionId: text,
  update: z.object({
    sessionUpdate: z.string(),
    messageId: text,
    content: anything,
    cost: maybe(z.object({ amount: z.number(), currency: z.string() })),
    configOptions,
    _meta: maybe(
      z.object({
        usage: maybe(tokenCounts),
        "_claude/model": text,
        codex: maybe(z.object({ threadStatus: maybe(z.object({ type: text })) })),
      }),
    ),
  }),
});
export type Update = z.infer<typeof update>["update"];

export const prompted = z.object({
  stopReason: z.string(),
  usage: maybe(tokenCounts),
  _meta: maybe(
    z.object({
      quota: maybe(
        z.object({ model_usage: maybe(z.array(z.object({ model: text, token_count: maybe(tokenCounts) }))) }),
      ),
    }),
  ),
});
export type Prompted = z.infer<typeof prompted>;

/** The text of one block of content; images and links are none. */
export const textBlock = z.object({ type: z.literal("text"), text: z.string() });

/** A line as a message, or undefined for whatever else stands on stdout. */
export function messageOf(line: string): z.infer<typeof message> | undefined {
  try {
    return message.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
