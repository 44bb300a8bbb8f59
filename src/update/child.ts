/** The forgehand that serves, as its launcher sees it: started, told to drain, ended. */
import { spawn } from "node:child_process";
import type { Clock } from "../ports.ts";

/** What a supervised `up` says of itself. */
export interface Serving {
  readonly type: "serving";
  readonly url: string;
  readonly version: string;
}
export interface Child {
  readonly pid: number | undefined;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  readonly serving: Promise<Serving>;
  hasServed(): boolean;
  /** As at SIGHUP: it opens its log file anew. One that does not serve yet has none open. */
  hangUp(): void;
  /** `hurry`: it does not wait for what is at work. */
  tell(what: "drain" | "hurry"): void;
  /** Drains within this time, else it is killed. */
  end(what: "drain" | "hurry", limitMs: number): Promise<number | string>;
}

export interface ChildOptions {
  readonly program: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** Variables by which a supervised `up` knows that it is one, and that it must prove itself first. */
export const supervisedVariable = "FORGEHAND_SUPERVISED";
export const trialVariable = "FORGEHAND_TRIAL";

export function startChild({ program, argv, env, clock }: ChildOptions): Child {
  const child = spawn(process.execPath, [program, "up", ...argv], {
    // A terminal's interrupt is for the launcher alone; should that die, the broken channel tells the child.
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...env, [supervisedVariable]: "1" },
  });
  const serving = Promise.withResolvers<Serving>();
  const ended = Promise.withResolvers<number | string>();
  let served = false;
  let isOver = false;
  const over = (how: number | string): void => {
    isOver = true;
    ended.resolve(how);
    serving.reject(new Error(`it ended (${how}) before it served`));
  };
  serving.promise.catch(() => undefined);
  child.on("message", (message) => {
    if (!isServing(message)) return;
    served = true;
    serving.resolve(message);
  });
  child.once("error", (error) => over(error.message));
  child.once("exit", (code, signal) => over(code ?? signal ?? "nothing"));
  const tell = (what: "drain" | "hurry"): void => {
    if (child.connected) child.send({ type: what }, () => undefined);
  };
  return {
    pid: child.pid,
    ended: ended.promise,
    serving: serving.promise,
    hasServed: () => served,
    hangUp: () => {
      // Before it serves, nobody listens to the signal, which would then end it.
      if (served && !isOver) child.kill("SIGHUP");
    },
    tell,
    end: async (what, limitMs) => {
      tell(what);
      const patience = new AbortController();
      const late = clock.until(clock.now() + limitMs, patience.signal).then(
        () => "late" as const,
        () => "late" as const,
      );
      await Promise.race([ended.promise, late]);
      patience.abort();
      if (!isOver) child.kill("SIGKILL");
      return await ended.promise;
    },
  };
}

const isServing = (message: unknown): message is Serving =>
  typeof message === "object" &&
  message !== null &&
  "type" in message &&
  message.type === "serving" &&
  "url" in message &&
  typeof message.url === "string" &&
  "version" in message &&
  typeof message.version === "string";
