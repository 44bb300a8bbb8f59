/** Every command that the documentation tells somebody to type is there, with the options it is told with. */
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { topicList } from "../../src/cli/help-topic-list.ts";
import { programOf } from "../../src/cli/program.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = globSync(["*.md", "docs/*.md", "examples/*.md"], { cwd: root }).filter(
  (page) => page !== "CHANGELOG.md",
);

interface Command {
  name(): string;
  aliases(): readonly string[];
  readonly commands: readonly Command[];
  readonly options: readonly { readonly short?: string | undefined; readonly long?: string | undefined }[];
}

/** What somebody would type, from spans and blocks of code; words in quotes and remarks are not looked at. */
const callsIn = (text: string): readonly string[] =>
  [...text.matchAll(/^(`{3,})([\s\S]*?)^\1|`([^`\n]+)`/gmu)]
    .flatMap(([, , block, span]) => (block ?? span ?? "").split("\n"))
    .map((line) => line.replaceAll(/"[^"]*"|'[^']*'/gu, "TEXT"))
    .flatMap((line) =>
      [...line.matchAll(/(?:^|&&|sudo|[A-Z_]+=\S+)\s*forgehand ([a-z][^#|&;>]*)/gu)].map(
        ([, call = ""]) => call,
      ),
    );

/** Why nobody can type this; undefined when anybody can. */
function wrongBecause(call: string): string | undefined {
  const words = call.trim().split(/\s+/u);
  if (words[0] === "help") return helpFault(words[1]);
  let at: Command = programOf();
  for (const word of words) {
    const below = at.commands.find((one) => [one.name(), ...one.aliases()].includes(word));
    if (below === undefined) break;
    at = below;
  }
  if (at.name() === "forgehand") return `there is no command ${words[0]}`;
  const asked = words.flatMap((word) => /^--?[a-z][a-z-]*(?=$|[=,.;:)])/u.exec(word)?.[0] ?? []);
  const missing = asked.filter(
    (flag) =>
      !["--help", "-h"].includes(flag) && !at.options.some(({ short, long }) => [short, long].includes(flag)),
  );
  return missing.length === 0 ? undefined : `${at.name()} has no ${missing.join(", ")}`;
}

const helpFault = (topic: string | undefined): string | undefined =>
  topic === undefined ||
  Object.hasOwn(topicList, topic) ||
  programOf().commands.some((one) => one.name() === topic) ||
  !/^[a-z-]+$/u.test(topic)
    ? undefined
    : `there is no topic ${topic}`;

test.each(pages)("every command of %s can be typed", (page) => {
  const faults = callsIn(readFileSync(`${root}${page}`, "utf8")).flatMap((call) => {
    const why = wrongBecause(call);
    return why === undefined ? [] : [`forgehand ${call.trim()}: ${why}`];
  });
  expect(faults).toEqual([]);
});

test("what cannot be typed is found", () => {
  expect(callsIn("`forgehand ps -a && forgehand gc` and\n```sh\nforgehand up  # serves\n```\n")).toEqual([
    "ps -a ",
    "gc",
    "up  ",
  ]);
  expect(
    ["frobnicate", "ps --frob", "help frob", "ps -a", "ledger verify --online"].map(wrongBecause),
  ).toEqual([
    "there is no command frobnicate",
    "ps has no --frob",
    "there is no topic frob",
    undefined,
    undefined,
  ]);
});
