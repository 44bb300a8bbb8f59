import { confirm, isCancel, log, note, password, select, text } from "@clack/prompts";
import { plain } from "./output.ts";
import { interruptible, stopped, type Prompter } from "./prompter.ts";

/** Questions on this terminal, on stderr: stdout is for data. */
export function clackPrompter(): Prompter {
  const output = process.stderr;
  const answered = <Value>(value: Value): Exclude<Value, symbol> => {
    if (isCancel(value) || typeof value === "symbol") throw stopped();
    // The symbol was just turned away; the compiler does not narrow a type parameter.
    return value as Exclude<Value, symbol>;
  };
  return {
    say: (line) => log.message(plain(line), { output }),
    note: (title, lines) => note(plain(lines), title, { output }),
    choose: async ({ message, choices, usual }) => {
      // By its place, since Clack's options have a conditional type that a type parameter does not resolve.
      const place = await select({
        message,
        options: choices.map(({ label, hint }, index) => ({
          value: index,
          label,
          ...(hint === undefined ? {} : { hint }),
        })),
        initialValue: Math.max(
          0,
          choices.findIndex(({ value }) => value === usual),
        ),
        output,
      });
      const chosen = choices[answered(place)];
      if (chosen === undefined) throw stopped();
      return chosen.value;
    },
    ask: async ({ message, usual, fault }) =>
      answered(
        await text({
          message,
          ...(usual === undefined ? {} : { initialValue: usual }),
          validate: (value) => fault((value ?? "").trim()),
          output,
        }),
      ).trim(),
    secret: async ({ message, fault }) =>
      answered(await password({ message, validate: (value) => fault((value ?? "").trim()), output })).trim(),
    agree: async ({ message, usual }) =>
      answered(await confirm({ message, initialValue: usual === "yes", output })),
    // Clack's spinner would answer Ctrl-C by itself, with exit code 0.
    during: async (what, work) => {
      log.step(plain(what), { output });
      return await interruptible(work);
    },
  };
}
