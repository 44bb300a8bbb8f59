import type { ToolchainFact } from "./detected.ts";
import { fieldsOf, jsonOf, own, tomlOf, wordOf, wordsOf } from "./parse.ts";
import { evidenceAt, evidenceMatching, lineMatching, type Text } from "./text.ts";
import { within, type Tree } from "./tree.ts";

const maxFacts = 40;

/** The versions of tools that a folder asks for, as written. */
export function readToolchain(tree: Tree, folder: string): readonly ToolchainFact[] {
  const facts = readers.flatMap(([name, read]) => {
    const text = tree.read(within(folder, name));
    return text === undefined ? [] : read(text);
  });
  return facts.filter(({ version }) => version === undefined || isPlain(version)).slice(0, maxFacts);
}

const isPlain = (version: string): boolean =>
  version.length <= 100 && /^[\w.*^~<>=!|,:/@ +-]+$/u.test(version);

type Reader = (text: Text) => readonly ToolchainFact[];

/** The first line that is no comment. */
const whole =
  (tool: string): Reader =>
  (text) => {
    const line = lineMatching(text, /^\s*[^\s#]/u);
    const version = line === undefined ? "" : (text.lines[line - 1] ?? "").trim();
    return line === undefined || version === "" ? [] : [{ tool, version, evidence: evidenceAt(text, line) }];
  };

const listed: Reader = (text) =>
  text.lines.slice(0, 200).flatMap((line, index) => {
    const [, tool = "", version = ""] = /^\s*([a-z][\w-]*)\s+([\w.:+-]+)/u.exec(line) ?? [];
    return tool === ""
      ? []
      : [
          {
            tool: tool === "nodejs" ? "node" : tool === "golang" ? "go" : tool,
            version,
            evidence: evidenceAt(text, index + 1),
          },
        ];
  });

const field =
  (tool: string, pattern: RegExp, keys: readonly string[], parse: typeof jsonOf): Reader =>
  (text) => {
    const parsed = parse(text);
    const version = "fault" in parsed ? undefined : wordOf(parsed.value, ...keys);
    return version === undefined ? [] : [{ tool, version, evidence: evidenceMatching(text, pattern) }];
  };

const matched =
  (tool: string, pattern: RegExp): Reader =>
  (text) => {
    const line = lineMatching(text, pattern);
    const version = line === undefined ? undefined : pattern.exec(text.lines[line - 1] ?? "")?.[1];
    return line === undefined || version === undefined
      ? []
      : [{ tool, version, evidence: evidenceAt(text, line) }];
  };

const mise: Reader = (text) => {
  const parsed = tomlOf(text);
  if ("fault" in parsed) return [];
  return Object.entries(fieldsOf(parsed.value, "tools")).flatMap(([tool, value]) =>
    /^[\w:./@-]{1,80}$/u.test(tool)
      ? [
          {
            tool,
            version: wordsOf(Array.isArray(value) ? value : (own(fieldsOf(value), "version") ?? value))[0],
            evidence: evidenceMatching(
              text,
              new RegExp(String.raw`^\s*["']?${tool.replaceAll(/[./]/gu, String.raw`\$&`)}["']?\s*=`, "u"),
            ),
          },
        ]
      : [],
  );
};

const readers: readonly (readonly [string, Reader])[] = [
  [".nvmrc", whole("node")],
  [".node-version", whole("node")],
  [".python-version", whole("python")],
  [".ruby-version", whole("ruby")],
  [".java-version", whole("java")],
  [".go-version", whole("go")],
  [".terraform-version", whole("terraform")],
  [".tool-versions", listed],
  ["mise.toml", mise],
  [".mise.toml", mise],
  [".sdkmanrc", matched("java", /^\s*java\s*=\s*([\w.+-]+)/u)],
  ["rust-toolchain", matched("rust", /^\s*(?:channel\s*=\s*)?"?([\w.-]+)"?\s*$/u)],
  ["rust-toolchain.toml", field("rust", /^\s*channel\s*=/u, ["toolchain", "channel"], tomlOf)],
  ["go.mod", matched("go", /^(?:toolchain\s+go|go\s+)([\w.]+)/u)],
  ["go.work", matched("go", /^(?:toolchain\s+go|go\s+)([\w.]+)/u)],
  ["package.json", field("node", /"node"\s*:/u, ["engines", "node"], jsonOf)],
  ["package.json", field("node", /"node"\s*:/u, ["volta", "node"], jsonOf)],
  ["pyproject.toml", field("python", /^\s*requires-python\s*=/u, ["project", "requires-python"], tomlOf)],
  ["global.json", field("dotnet", /"version"\s*:/u, ["sdk", "version"], jsonOf)],
  ["mix.exs", matched("elixir", /^\s*elixir:\s*"([^"]{1,60})"/u)],
  ["Gemfile", matched("ruby", /^\s*ruby\s+["']([^"']{1,60})["']/u)],
  [".devcontainer/devcontainer.json", field("devcontainer", /"image"\s*:/u, ["image"], jsonOf)],
  [".devcontainer.json", field("devcontainer", /"image"\s*:/u, ["image"], jsonOf)],
];
