import { nearest } from "../nearest.ts";

/** What a person asked for on the first line of a comment. `refused` is ours to answer: the word means nothing. */
export type Command =
  | Order
  | Question
  | { readonly name: "refused"; readonly word: string; readonly why: string };

export type Question = { readonly name: "explain" | "status" | "help" };
/** What moves a ticket, when the person may. */
export type Order =
  | { readonly name: "run" | "retry" | "stop" }
  | { readonly name: "approve"; readonly sha: string | undefined }
  | { readonly name: "budget"; readonly usd: number }
  | { readonly name: "tell"; readonly order: string }
  | { readonly name: "ask"; readonly question: string };

export const commandNames = [
  "run",
  "retry",
  "stop",
  "approve",
  "tell",
  "ask",
  "explain",
  "status",
  "budget",
  "help",
] as const;
export type CommandName = (typeof commandNames)[number];

/** Words people type from memory of other bots. None of them consents to a merge: `approve` has no second name. */
const aliases: Readonly<Record<string, CommandName>> = {
  start: "run",
  go: "run",
  rerun: "retry",
  again: "retry",
  cancel: "stop",
  why: "explain",
  info: "status",
  "?": "help",
};

const maxWord = 40;
const maxBudgetUsd = 1000;
/** Of what an agent is told; more belongs into the issue. */
const maxOrder = 8_000;

/**
 * The command on the first line of a comment, if there is one. The line must start with it: a quote, a list item,
 * a code span or fence, an HTML comment or an indented block does not, so what is merely shown is never obeyed.
 */
export function readCommand(body: string): Command | undefined {
  const line = body.split(/\r\n|\r|\n/u, 1)[0] ?? "";
  const match = /^ {0,3}\/forgehand(?:[ \t]+(.*))?$/iu.exec(line);
  if (match === null) return undefined;
  const rest = (match[1] ?? "").trim();
  // What follows is for an agent to read, not for us to obey.
  if (/^tell(?:\s|$)/iu.test(rest)) return tell(body.slice(line.length), rest.slice("tell".length));
  if (/^ask(?:\s|$)/iu.test(rest)) return askFor(`${rest.slice("ask".length)}${body.slice(line.length)}`);
  // A control, zero-width, bidi or markup character lets a reader see another line than we do.
  if (/[\p{Cc}\p{Cf}<>`]/u.test(rest.replaceAll("\t", " "))) {
    return refuse("", "the line holds invisible or markup characters; type the command plainly");
  }
  const [first, ...words] = rest === "" ? [] : rest.split(/\s+/u);
  return first === undefined ? { name: "help" } : commandOf(first.toLowerCase(), words);
}

/**
 * What a comment that begins by calling us asks for: an answer where it ends in a question, otherwise work. Mentioned
 * further on we are spoken of, not spoken to.
 */
export function readMention(body: string, botLogin: string): Command | undefined {
  const slug = botLogin.replace(/\[bot\]$/u, "");
  const called = /^\s{0,3}@([\w-]+)(?:\[bot\])?[ \t]*[,:]?(?=\s|$)/u.exec(body);
  if (called === null || called[1]?.toLowerCase() !== slug.toLowerCase()) return undefined;
  const words = body.slice(called[0].length).trim();
  if (words === "") return { name: "help" };
  return endsInQuestion(words) ? askFor(words) : tell("", words);
}

/** Whether somebody who wrote this waits for words. Quotes at its end, and what stands in code, ask nothing. */
export function endsInQuestion(text: string): boolean {
  const own = text
    .replaceAll(/^(`{3,}|~{3,})[\s\S]*?^\1/gmu, "")
    .split(/\r\n|\r|\n/u)
    .filter((line) => !/^\s*>/u.test(line))
    .join("\n");
  return /[?？]["')\]*_]*\s*$/u.test(own);
}

/** The command behind a button of our check run. */
export function readButton(identifier: string): Command | undefined {
  const usd = /^budget-(\d{1,4})$/u.exec(identifier)?.[1];
  if (usd !== undefined) return budget([usd]);
  return commandNames.some(
    (name) => name === identifier && name !== "budget" && name !== "tell" && name !== "ask",
  )
    ? commandOf(identifier, [])
    : undefined;
}

function commandOf(word: string, words: readonly string[]): Command {
  const name = nameOf(word);
  switch (name) {
    case undefined:
      return unknown(word);
    case "approve":
      return approve(words);
    case "budget":
      return budget(words);
    case "tell":
      return tell("", words.join(" "));
    case "ask":
      return askFor(words.join(" "));
    case "run":
      return words.length === 0
        ? { name }
        : refuse(
            "run",
            "`run` takes no argument; pick a runtime with a label `runtime/<name>` on the issue, then say `/forgehand run`",
          );
    case "retry":
    case "stop":
    case "explain":
    case "status":
    case "help":
      return { name };
  }
}

function nameOf(word: string): CommandName | undefined {
  return (
    commandNames.find((name) => name === word) ?? (Object.hasOwn(aliases, word) ? aliases[word] : undefined)
  );
}

function approve(words: readonly string[]): Command {
  const [sha, extra] = words;
  if (sha === undefined) return { name: "approve", sha: undefined };
  if (extra !== undefined || !/^[0-9a-f]{7,40}$/iu.test(sha)) {
    return refuse(
      "approve",
      "`approve` takes nothing, or the commit it is for: `/forgehand approve 1a2b3c4` (7 to 40 hex digits)",
    );
  }
  return { name: "approve", sha: sha.toLowerCase() };
}

function budget(words: readonly string[]): Command {
  const usd = Number(/^\$?(\d{1,4}(?:\.\d{1,2})?)$/u.exec(words[0] ?? "")?.[1] ?? Number.NaN);
  if (words.length !== 1 || !(usd > 0 && usd <= maxBudgetUsd)) {
    return refuse(
      "budget",
      `\`budget\` takes dollars for one more try, at most ${maxBudgetUsd}: \`/forgehand budget 10\``,
    );
  }
  return { name: "budget", usd };
}

function tell(lines: string, words: string): Command {
  const order = `${words}${lines}`.trim();
  if (order === "") {
    return refuse(
      "tell",
      "`tell` takes what the agent should know, in the same comment: `/forgehand tell keep the old name as an alias`",
    );
  }
  if (order.length > maxOrder) {
    return refuse("tell", `an agent is told at most ${maxOrder} characters at once; say it in fewer words`);
  }
  return { name: "tell", order };
}

function askFor(words: string): Command {
  const question = words.trim();
  if (question === "") {
    return refuse(
      "ask",
      "`ask` takes a question, in the same comment: `/forgehand ask why is the cache kept for a day?`",
    );
  }
  return question.length > maxOrder
    ? refuse("ask", `an agent is asked at most ${maxOrder} characters at once; say it in fewer words`)
    : { name: "ask", question };
}

function unknown(word: string): Command {
  const shown = word.replaceAll(/[^\p{L}\p{N}_?-]/gu, "").slice(0, maxWord);
  const near = nearest(shown, [...commandNames, ...Object.keys(aliases)]);
  const guess =
    near === undefined
      ? `I know ${commandNames.map((name) => `\`${name}\``).join(", ")}`
      : `did you mean \`/forgehand ${nameOf(near) ?? near}\`?`;
  return refuse(shown, `there is no command \`${shown}\`; ${guess}`);
}

function refuse(word: string, why: string): Command {
  return { name: "refused", word, why };
}
