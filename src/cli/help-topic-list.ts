/** What `forgehand help <topic>` tells beside the commands; their texts are loaded when asked for. */
export const topicList = {
  "getting-started": "from nothing to the first merged ticket",
  local: "tickets of a repository on this host, no account needed",
  labels: "what each label means, and who may set it",
  sandboxes: "where agents run, and what they can reach",
  security: "what is trusted with what",
  formats: "--json, tables, pipes, logs",
  environment: "every setting, FORGEHAND_*",
  "exit-codes": "what a process ends with",
} as const satisfies Readonly<Record<string, string>>;
export type Topic = keyof typeof topicList;

export const isTopic = (text: string | undefined): text is Topic =>
  text !== undefined && Object.hasOwn(topicList, text);

const width = Math.max(...Object.keys(topicList).map((name) => name.length));
/** For the end of `forgehand --help`. */
export const topicLines = (): string =>
  Object.entries(topicList)
    .map(([name, about]) => `  forgehand help ${name.padEnd(width)}  ${about}`)
    .join("\n");
