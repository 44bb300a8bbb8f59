import { describe, expect, test } from "vitest";
import { readServerBundles, serversOf } from "./config-servers.ts";
import { Problem } from "./problems.ts";

const text = `
docs:
  access: read
  servers:
    search:
      command: [/opt/docs, --quiet]
      env: { DOCS_KEY: "\${DOCS_KEY}" }
wiki:
  servers:
    pages:
      url: https://wiki.example/mcp
      headers: { Authorization: "Bearer \${WIKI_TOKEN}" }
`;
const env = { DOCS_KEY: "d", WIKI_TOKEN: "w", FORGEHAND_PRIVATE_KEY: "k" };
const read = (what: string) => readServerBundles("mcp.yml", what, env);

test("an operator's bundles are their servers, with secrets from the environment", () => {
  const bundles = read(text);
  expect(bundles.get("docs")).toEqual({
    access: "read",
    servers: [
      { is: "process", name: "search", command: "/opt/docs", args: ["--quiet"], env: { DOCS_KEY: "d" } },
    ],
  });
  expect(bundles.get("wiki")).toEqual({
    access: "write",
    servers: [
      { is: "http", name: "pages", url: "https://wiki.example/mcp", headers: { Authorization: "Bearer w" } },
    ],
  });
  expect(readServerBundles("mcp.yml", undefined, env).size).toBe(0);
  expect(read("# none yet\n").size).toBe(0);
});

describe("what is wrong with the file is shown at its place", () => {
  const one = (server: string): string => `docs:\n  servers:\n    search:\n      ${server}\n`;
  test.each([
    ["no YAML", "docs: [", /mcp\.yml:1:8: This is no YAML/u],
    ["an unknown key", "docs:\n  server: {}\n", /mcp\.yml:2:3: .*`docs\.server`/u],
    ["neither command nor url", one("env: {}"), /mcp\.yml:3:5: .*either `command` or `url`/u],
    ["both", one("{ command: [a], url: 'https://x.example' }"), /either `command` or `url`/u],
    [
      "a command that is no list",
      one("command: npx docs"),
      /mcp\.yml:4:7: .*`docs\.servers\.search\.command`/u,
    ],
    ["no web address", one("url: file:///etc/passwd"), /an http or https URL/u],
    [
      "a forge's login",
      one("{ command: [a], env: { GITHUB_TOKEN: x } }"),
      /mcp\.yml:4:30: .*no agent is given/u,
    ],
    ["what moves code", one("{ command: [a], env: { LD_PRELOAD: x } }"), /no agent is given/u],
    ["headers of a command", one("{ command: [a], headers: { A: b } }"), /only a `url` has headers/u],
    [
      "a variable nobody set",
      one("{ command: [a], env: { A: '${NOPE}' } }"),
      /the variable NOPE is not set/u,
    ],
    ["a secret of ours", one("{ command: [a], env: { A: '${FORGEHAND_PRIVATE_KEY}' } }"), /forgehand's own/u],
    [
      "one name twice",
      `${one("command: [a]")}more:\n  servers:\n    search: { command: [b] }\n`,
      /Both `docs` and `more`/u,
    ],
  ])("%s", (_, what, why) => {
    let problem: unknown;
    try {
      read(what);
    } catch (error) {
      problem = error;
    }
    expect(problem).toBeInstanceOf(Problem);
    expect((problem as Problem).told.what).toMatch(why);
  });
});

describe("a repository may name bundles", () => {
  const bundles = read(text);
  test("once or twice, and gets each server once", () => {
    expect(serversOf(bundles, ["docs", "wiki", "docs"], "write").map(({ name }) => name)).toEqual([
      "search",
      "pages",
    ]);
  });
  test.each([
    ["one that is not there", ["mail"], "write", /no MCP bundle `mail`; there is `docs`, `wiki`/u],
    ["one that may write, for who only looks", ["wiki"], "read", /`wiki` may write/u],
  ] as const)("but not %s", (_, names, access, why) => {
    expect(() => serversOf(bundles, names, access)).toThrow(why);
  });
});
