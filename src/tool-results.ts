/** What a tool answered, read out of a line as its runtime said it: for people who read a transcript, never for a decision. */
import { z } from "zod";

/** Kept of an answer. */
const mostLines = 4;
const mostCharacters = 400;

const part = z.object({ type: z.literal("text"), text: z.string() });
const parts = z
  .array(z.unknown())
  .transform((all) => all.flatMap((one) => part.safeParse(one).data?.text ?? []).join("\n"));
const words = z.union([z.string(), parts]);
const failed = (isError: boolean | null | undefined): string => (isError === true ? "failed: " : "");
const exited = (code: number | null | undefined): string =>
  code === 0 || code === null || code === undefined ? "" : `exit ${code}: `;

const claude = z
  .object({ type: z.literal("user"), message: z.object({ content: z.array(z.unknown()) }) })
  .transform(({ message }) =>
    message.content.flatMap((one) => {
      const result = claudeResult.safeParse(one).data;
      return result === undefined ? [] : `${failed(result.is_error)}${result.content}`;
    }),
  );
const claudeResult = z.object({
  type: z.literal("tool_result"),
  content: words.default(""),
  is_error: z.boolean().nullish(),
});
const codex = z
  .object({
    type: z.literal("item.completed"),
    item: z.object({
      type: z.literal("command_execution"),
      aggregated_output: z.string().default(""),
      exit_code: z.number().nullish(),
    }),
  })
  .transform(({ item }) => [`${exited(item.exit_code)}${item.aggregated_output}`]);
const codexServer = z
  .object({
    method: z.literal("item/completed"),
    params: z.object({
      item: z.object({
        type: z.literal("commandExecution"),
        aggregatedOutput: z.string().nullish(),
        exitCode: z.number().nullish(),
      }),
    }),
  })
  .transform(({ params: { item } }) => [`${exited(item.exitCode)}${item.aggregatedOutput ?? ""}`]);
const pi = z
  .object({
    type: z.literal("tool_execution_end"),
    result: z.object({ content: words.default("") }),
    isError: z.boolean().nullish(),
  })
  .transform(({ result, isError }) => [`${failed(isError)}${result.content}`]);
const opencode = z
  .object({
    type: z.literal("tool_use"),
    part: z.object({
      state: z.object({ output: z.string(), metadata: z.object({ exit: z.number().nullish() }).nullish() }),
    }),
  })
  .transform(({ part: { state } }) => [`${exited(state.metadata?.exit)}${state.output}`]);
const acp = z
  .object({
    method: z.literal("session/update"),
    params: z.object({
      update: z.object({
        sessionUpdate: z.literal("tool_call_update"),
        status: z.enum(["completed", "failed"]),
        content: z.array(z.unknown()).nullish(),
      }),
    }),
  })
  .transform(({ params: { update } }) => [
    `${failed(update.status === "failed")}${(update.content ?? []).flatMap((one) => acpContent.safeParse(one).data?.content.text ?? []).join("\n")}`,
  ]);
const acpContent = z.object({ content: part });

const inProcess = z
  .object({ role: z.literal("tool"), content: z.array(z.unknown()) })
  .transform(({ content }) =>
    content.flatMap((one) => {
      const output = inProcessResult.safeParse(one).data?.output;
      return output === undefined ? [] : `${failed(output.type.startsWith("error"))}${textOf(output.value)}`;
    }),
  );
const inProcessResult = z.object({
  type: z.literal("tool-result"),
  output: z.object({ type: z.string(), value: z.unknown() }),
});
const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value ?? ""));

const anyOfThem = z.union([claude, codex, codexServer, pi, opencode, acp, inProcess]);

/** What tools answered in this line, shortened. Lines of runtimes that are not known hold nothing. */
export function toolResultsIn(line: string): readonly string[] {
  if (!line.startsWith("{")) return [];
  try {
    return (anyOfThem.safeParse(JSON.parse(line)).data ?? []).flatMap((text) => {
      const short = shortened(text);
      return short === "" ? [] : short;
    });
  } catch {
    return [];
  }
}

function shortened(text: string): string {
  const lines = text.trim().split("\n");
  const kept = lines.slice(0, mostLines).join("\n");
  if (kept.length > mostCharacters) return `${kept.slice(0, mostCharacters)}…`;
  return lines.length > mostLines ? `${kept}\n… ${lines.length - mostLines} more lines` : kept;
}
