import { tmpdir } from "node:os";
import type { Clock } from "../../ports.ts";
import type { RuntimeFacts } from "./failure.ts";
import { runProcess, type ProcessEnd } from "../processes/agent-process.ts";

/** No runtime takes longer to say its version. */
const probeMs = 10_000;
let probes = 0;

type Env = Readonly<Record<string, string>>;

/** Runs a harmless question of the runtime, such as `--version`, and answers what it printed. */
export async function askRuntime(
  binary: string,
  args: readonly string[],
  env: Env,
  clock: Clock,
): Promise<{ readonly text: string; readonly end: ProcessEnd | undefined }> {
  probes += 1;
  const lines: string[] = [];
  let end: ProcessEnd | undefined;
  const order = {
    file: binary,
    args,
    cwd: tmpdir(),
    env,
    stdin: undefined,
    runId: `probe-${process.pid}-${probes}`,
    stallMs: probeMs,
    turnMs: probeMs,
    // Everybody works below the folder for temporary files: whoever stands there is not ours to end.
    place: "shared" as const,
  };
  for await (const said of runProcess(order, clock, new AbortController().signal)) {
    if (said.type === "end") end = said.end;
    else lines.push(said.line);
  }
  return { text: lines.join("\n").trim(), end };
}

/** Is the runtime there and logged in, as far as can be told without spending. */
export async function probeRuntime(
  runtime: RuntimeFacts,
  env: Env,
  loggedIn: () => Promise<boolean>,
  clock: Clock,
): Promise<{
  readonly found: boolean;
  readonly version: string | undefined;
  readonly why: string | undefined;
}> {
  const { title, binary, install, login } = runtime;
  try {
    const { text, end } = await askRuntime(binary, ["--version"], env, clock);
    if (end?.failedToStart !== undefined)
      return {
        found: false,
        version: undefined,
        why: `\`${binary}\` is not on the search path: install it with \`${install}\``,
      };
    // Some keep stdout for their stream and say their version on stderr.
    const version = /\d+\.\d+\.\d+[\w.-]*/u.exec(text === "" ? (end?.stderr ?? "") : text)?.[0];
    if (end?.exit !== 0 || version === undefined) {
      const how =
        end?.stopped === undefined
          ? `ended with ${end?.signal ?? `exit code ${end?.exit}`}`
          : `did not answer in ${probeMs / 1000} s`;
      return {
        found: false,
        version,
        why: `\`${binary} --version\` ${how}: install it anew with \`${install}\``,
      };
    }
    const why = (await loggedIn()) ? undefined : `${title} is not logged in: ${login}`;
    return { found: true, version, why };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { found: false, version: undefined, why: `\`${binary}\` could not be run: ${reason}` };
  }
}

/** A key of the runtime's own stands in its environment. */
export function hasKey(own: Env): boolean {
  return Object.entries(own).some(([name, value]) => /(?:_API_KEY|_TOKEN)$/u.test(name) && value !== "");
}
