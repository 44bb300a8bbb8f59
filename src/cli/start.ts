import { CommanderError } from "@commander-js/extra-typings";
import { isTopic } from "./help-topic-list.ts";
import { programOf, wantsJson } from "./program.ts";

/** Runs the command that the arguments name. */
export async function start(): Promise<void> {
  /** A reader that has seen enough, such as `head`, is no failure. */
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  const [verb, topic] = process.argv.slice(2);
  if (verb === undefined) {
    programOf().outputHelp();
  } else if (verb === "help" && isTopic(topic)) {
    const { topics } = await import("./help-topics.ts");
    process.stdout.write(`${topics[topic]()}\n`);
  } else {
    try {
      await programOf(verb).parseAsync();
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      await refuse(error);
    }
  }
}

/** Wrong usage ends with 4, in the caller's language; asking for help is fine. */
async function refuse(error: CommanderError): Promise<void> {
  const isFine = error.exitCode === 0;
  process.exitCode = isFine ? 0 : 4;
  if (isFine || !wantsJson) return;
  const { envelope, terminal } = await import("./output.ts");
  const message = error.message.replace(/^error: /u, "");
  terminal.out(envelope("usage/1", null, { code: "usage", message }));
}
