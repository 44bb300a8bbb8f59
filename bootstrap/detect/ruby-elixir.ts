import type { Candidate, Look } from "./candidate.ts";
import type { CommandKind, Evidence } from "./detected.ts";
import { evidenceMatching, evidenceOf, lineMatching, type Text } from "./text.ts";
import { joined, within, type Tree } from "./tree.ts";

type Say = (
  kind: CommandKind,
  command: string,
  evidence: Evidence,
  source?: Candidate["source"],
) => Candidate;

const sayIn =
  (folder: string): Say =>
  (kind, command, evidence, source = "tool") => ({
    kind,
    command,
    folder,
    source,
    evidence: [evidence],
    reason:
      source === "custom"
        ? "it is what its tools do of themselves"
        : `${evidence.path} ${evidence.text === "" ? "is there" : "says so"}`,
  });

/** A line of a file; undefined where none matches. */
const lineOf = (text: Text | undefined, pattern: RegExp): Evidence | undefined =>
  text === undefined || lineMatching(text, pattern) === undefined
    ? undefined
    : evidenceMatching(text, pattern);

/** A bundle of Ruby. */
export function lookAtRuby(tree: Tree, folder: string): Look | undefined {
  const text = tree.read(within(folder, "Gemfile"));
  if (text === undefined) return undefined;
  const say = sayIn(folder);
  const has = (name: string): boolean => tree.has(within(folder, name));
  const file = (name: string): Evidence | undefined =>
    has(name) ? evidenceOf(within(folder, name)) : undefined;
  const inTests = (name: string): boolean =>
    tree.folders.some((one) => one === within(folder, name) || one.startsWith(`${within(folder, name)}/`));
  const gem = (name: string): Evidence | undefined =>
    lineOf(text, new RegExp(String.raw`^\s*gem\s*\(?\s*["']${name}["'-]`, "u")) ??
    gemspec(tree, folder, name);
  const rakefile = tree.read(within(folder, "Rakefile"));
  const rspec = gem("rspec") ?? file(".rspec");
  const rails = has("bin/rails") ? file("bin/rails") : undefined;
  const rake = lineOf(
    rakefile,
    /Rake::TestTask|Minitest::TestTask|RSpec::Core::RakeTask|task\s+:?(?:test|spec)\b/u,
  );
  const rubocop = file(".rubocop.yml") ?? gem("rubocop");
  const standard = gem("standard");
  const lock = file("Gemfile.lock");
  const candidates = [
    say("setup", "bundle install", lock ?? evidenceOf(text.path), lock === undefined ? "custom" : "lock"),
    ...(rspec !== undefined && (inTests("spec") || rails === undefined)
      ? [say("test", "bundle exec rspec", rspec)]
      : []),
    ...(rails !== undefined && inTests("test") ? [say("test", "bin/rails test", rails)] : []),
    ...(rake === undefined
      ? []
      : [say("test", "bundle exec rake", rake)].map((one) =>
          /:test\b|TestTask/u.test(rake.text) ? { ...one, command: "bundle exec rake test" } : one,
        )),
    ...(rubocop === undefined ? [] : [say("lint", "bundle exec rubocop", rubocop)]),
    ...(standard === undefined ? [] : [say("lint", "bundle exec standardrb", standard)]),
  ];
  return {
    ecosystem: "ruby",
    manager: "bundler",
    evidence: [evidenceOf(text.path), ...(lock === undefined ? [] : [lock])],
    members: [],
    candidates,
    warnings: [],
  };
}

function gemspec(tree: Tree, folder: string, gem: string): Evidence | undefined {
  const name = tree.names(folder).find((one) => one.endsWith(".gemspec"));
  const text = name === undefined ? undefined : tree.read(within(folder, name));
  return lineOf(text, new RegExp(String.raw`_dependency\s*\(?\s*["']${gem}["'-]`, "u"));
}

/** A project of Mix, or an umbrella of them. */
export function lookAtElixir(tree: Tree, folder: string): Look | undefined {
  const text = tree.read(within(folder, "mix.exs"));
  if (text === undefined) return undefined;
  const say = sayIn(folder);
  const umbrella = /apps_path:\s*"([\w./-]{1,100})"/u.exec(text.all)?.[1];
  const apps = umbrella === undefined ? undefined : joined(folder, umbrella);
  const members =
    apps === undefined
      ? []
      : tree.folders.filter(
          (one) => one.startsWith(`${apps}/`) && tree.has(within(one, "mix.exs")) && !one.includes("/deps/"),
        );
  const formatter = tree.has(within(folder, ".formatter.exs"))
    ? evidenceOf(within(folder, ".formatter.exs"))
    : undefined;
  const credo = lineOf(text, /\{\s*:credo\b/u);
  const checks = [
    ...(formatter === undefined ? [] : [{ command: "mix format --check-formatted", evidence: formatter }]),
    ...(credo === undefined ? [] : [{ command: "mix credo", evidence: credo }]),
  ];
  const manifest =
    umbrella === undefined
      ? evidenceMatching(text, /use Mix\.Project/u)
      : evidenceMatching(text, /apps_path:/u);
  const lock = within(folder, "mix.lock");
  const lint: readonly Candidate[] =
    checks.length === 0
      ? []
      : [
          {
            ...say("lint", checks.map(({ command }) => command).join(" && "), manifest),
            evidence: checks.map(({ evidence }) => evidence),
            reason: checks.length > 1 ? "each of these is configured" : "it is configured",
          },
        ];
  return {
    ecosystem: "elixir",
    manager: "mix",
    evidence: [manifest, ...(tree.has(lock) ? [evidenceOf(lock)] : [])],
    members,
    candidates: [
      say("setup", "mix deps.get", manifest, "custom"),
      say("test", "mix test", manifest, "custom"),
      ...lint,
      say("build", "mix compile", manifest, "custom"),
    ],
    warnings: [],
  };
}
