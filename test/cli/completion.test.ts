import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { run } from "./run.ts";

test("bash completes verbs, verbs below them, options, topics and the names of tickets", async () => {
  const { out } = await run(["completion", "bash"]);
  // What a person's shell would ask.
  const stand = `forgehand() { printf 'TICKET\\tSTATE\\nacme/web#42\\tReady for Dev\\n'; }`;
  const complete = (...words: readonly string[]): readonly string[] => {
    const line = ["forgehand", ...words].map((word) => `'${word}'`).join(" ");
    const script = `${out}\n${stand}\nCOMP_WORDS=(${line})\nCOMP_CWORD=${words.length}\n_forgehand\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync("bash", ["-c", script], { encoding: "utf8" }).trim().split("\n");
  };
  expect(complete("serv")).toEqual(["service"]);
  expect(complete("service", "un")).toEqual(["uninstall"]);
  expect(complete("service", "install", "--dr")).toEqual(["--dry-run"]);
  expect(complete("help", "exit")).toEqual(["exit-codes"]);
  expect(complete("approve", "acme")).toEqual(["acme/web#42"]);
});
