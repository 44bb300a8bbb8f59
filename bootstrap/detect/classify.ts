import type { CommandKind, Ecosystem } from "./detected.ts";
import { bare } from "./shell.ts";

/** What a command is for, told by its words. */
export interface Class {
  readonly kind: CommandKind;
  /** Undefined for a runner of tasks, which knows no ecosystem. */
  readonly ecosystem: Ecosystem | undefined;
  /** A suite that takes a browser, a service or long, or a part of one: another is taken first. */
  readonly scope: Scope;
}

export type Scope = "plain" | "longer" | "part";

type Rule = readonly [pattern: RegExp, kind: CommandKind, ecosystem: Ecosystem | undefined];

/** Changes the machine, the account or the world: never a command of ours, whatever else it says. */
const foreign =
  /^(?:sudo|curl|wget|git|gh|hub|ssh|scp|rsync|aws|gcloud|az|kubectl|helm|terraform|docker|podman|apt|apt-get|brew|choco|echo|printf|cp|mv|rm|mkdir|export|set|source|eval|exec|chmod|ls|cat|test|\[)(?:\s|$)/u;
const outward =
  /(?:^|[\s:/]|[^\s-]-)(?:publish|deploy|release|upload|login|push|semantic-release|gh-pages|codecov|coveralls|changeset|preview)(?:[\s:]|$)/u;
const asking = /(?:^|\s)(?:--version|--help|-V|-v|version)$/u;
const watching = /(?:^|\s)(?:--watch(?:All|-all)?(?:=true)?|watch|--watch-path=\S+)(?:\s|$)/u;
const special =
  /e2e|end-to-end|integration|browser|playwright|cypress|smoke|bench|perf|mutation|storybook|visual|nightly|load|docs?(?:$|\W)|examples?|acceptance|system|(?<!-)coverage/u;

const manager = String.raw`(?:npm|pnpm|yarn|bun|corepack (?:npm|pnpm|yarn))`;
const runner = new RegExp(
  String.raw`^${manager}(?: -s| --silent| -r| -w| --recursive| --if-present| --workspaces?| -C \S+| --filter[= ]\S+)*(?: (?:run|run-script))?(?: -s| --silent| -r| --recursive| --if-present| --workspaces?)* ([\w:.@/-]+)`,
  "u",
);

const rules: readonly Rule[] = [
  [/^npm (?:ci|clean-install|install|i)(?: --?[\w-]+(?:=\S+)?)*$/u, "setup", "node"],
  [/^(?:corepack )?pnpm(?: -r| --dir \S+)? (?:install|i)(?: --?[\w-]+(?:=\S+)?)*$/u, "setup", "node"],
  [/^(?:corepack )?yarn(?: install)?(?: --?[\w-]+(?:=\S+)?)*$/u, "setup", "node"],
  [/^bun (?:install|i)(?: --?[\w-]+(?:=\S+)?)*$/u, "setup", "node"],
  [/^(?:npx )?lerna bootstrap/u, "setup", "node"],
  [
    /^(?:turbo|nx)(?: run| run-many| affected)?\b.*?\b(?:tests?|-t tests?|--target[= ]tests?)\b/u,
    "test",
    "node",
  ],
  [/^(?:turbo|nx)(?: run| run-many| affected)?\b.*?\blint\b/u, "lint", "node"],
  [/^(?:turbo|nx)(?: run| run-many| affected)?\b.*?\bbuild\b/u, "build", "node"],
  [/^lerna run (?:\S+ )*tests?\b/u, "test", "node"],
  [
    /^(?:vitest|jest|mocha|ava|tap|c8|nyc|karma start|ng test|playwright test|cypress run|node --test)\b/u,
    "test",
    "node",
  ],
  [
    /^(?:eslint|biome|oxlint|xo|standard|tsc .*--noEmit|tsc -b|vue-tsc|prettier .*(?:--check|-c)\b|stylelint|knip|ng lint)/u,
    "lint",
    "node",
  ],
  [/^(?:tsc|vite build|webpack|rollup|tsup|next build|ng build)(?:\s|$)/u, "build", "node"],
  [/^deno (?:install|cache)\b/u, "setup", "deno"],
  [/^deno (?:test|task tests?(?=\s|$|:))/u, "test", "deno"],
  [/^deno (?:lint|fmt --check|check|task (?:lint|check))/u, "lint", "deno"],
  [/^deno (?:compile|task build)\b/u, "build", "deno"],
  [
    /^(?:uv (?:sync|pip install)|poetry install|poetry sync|pdm (?:install|sync)|pipenv (?:install|sync)|hatch env create|conda env (?:create|update))\b/u,
    "setup",
    "python",
  ],
  [/^(?:python[\d.]* -m )?pip[\d.]* install\b/u, "setup", "python"],
  [
    /^(?:pytest|py\.test|unittest|nose2|tox|nox|coverage run|hatch (?:run \S*test|test)|python[\d.]* (?:manage|setup)\.py test|manage\.py test)(?=\s|$|:)/u,
    "test",
    "python",
  ],
  [
    /^(?:ruff check|ruff format .*--(?:check|diff)|ruff (?!format)|flake8|mypy|pyright|basedpyright|pylint|black .*--(?:check|diff)|isort .*--check|pre-commit run|hatch run \S*(?:lint|types|style)|hatch fmt --check)(?=\s|\S|$)/u,
    "lint",
    "python",
  ],
  [/^(?:build|uv build|poetry build|pdm build|hatch build)(?=\s|$)/u, "build", "python"],
  [/^go (?:mod (?:download|vendor|tidy)|get \.\/\.\.\.)/u, "setup", "go"],
  [/^(?:go test|gotestsum|ginkgo)\b/u, "test", "go"],
  [/^(?:go vet|golangci-lint run|staticcheck|revive|gofumpt)\b/u, "lint", "go"],
  [/^go build\b/u, "build", "go"],
  [/^cargo fetch\b/u, "setup", "rust"],
  [/^(?:cargo(?: \+\S+)? (?:test|nextest run|hack test|insta test)|cross test)\b/u, "test", "rust"],
  [/^cargo(?: \+\S+)? (?:clippy|fmt\b.*--check|check|deny)\b/u, "lint", "rust"],
  [/^cargo(?: \+\S+)? build\b/u, "build", "rust"],
  [/^(?:\.\/)?(?:mvnw|mvn)\b.*\b(?:dependency:(?:go-offline|resolve)|install -DskipTests)/u, "setup", "java"],
  [
    /^(?:\.\/)?(?:mvnw|mvn)\b.*\b(?:spotless:check|checkstyle:check|ktlint:check|spotbugs:check)/u,
    "lint",
    "java",
  ],
  [
    /^(?:\.\/)?(?:mvnw|mvn)\b(?!.*-D(?:skipTests|maven\.test\.skip|skipITs)).*\b(?:test|verify)\b/u,
    "test",
    "java",
  ],
  [/^(?:\.\/)?(?:mvnw|mvn)\b.*\b(?:package|compile)\b/u, "build", "java"],
  [
    /^(?:\.\/)?gradlew?\b.*?(?:^|[\s:])(?:spotlessCheck|ktlintCheck|detekt|checkstyleMain|lint)\b/u,
    "lint",
    "java",
  ],
  [/^(?:\.\/)?gradlew?\b.*?[\s:](?:test\w*|check|build)(?=\s|$)/u, "test", "java"],
  [/^(?:\.\/)?gradlew?\b.*?[\s:](?:assemble\w*|classes|jar)(?=\s|$)/u, "build", "java"],
  [/^(?:bundle (?:install|check)|bundle(?:$| --)|bin\/setup)/u, "setup", "ruby"],
  [
    /^(?:(?:bin\/)?rspec|(?:bin\/)?rails (?:[\w:]+ ){0,4}test\b|(?:bin\/)?rake(?: (?:test|spec))?(?=\s|$)|minitest|cucumber)/u,
    "test",
    "ruby",
  ],
  [
    /^(?:(?:bin\/)?rubocop|standardrb|(?:bin\/)?rake (?:rubocop|standard|lint)|erblint|brakeman|(?:bin\/)?brakeman|srb tc)/u,
    "lint",
    "ruby",
  ],
  [/^mix (?:deps\.get|setup|do deps\.get)/u, "setup", "elixir"],
  [/^mix (?:test|coveralls|espec)/u, "test", "elixir"],
  [/^mix (?:format .*--check|credo|dialyzer|compile .*--warnings-as-errors|lint)/u, "lint", "elixir"],
  [/^mix compile/u, "build", "elixir"],
  [/^dotnet restore/u, "setup", "dotnet"],
  [/^dotnet test/u, "test", "dotnet"],
  [/^dotnet format .*--verify-no-changes/u, "lint", "dotnet"],
  [/^dotnet build/u, "build", "dotnet"],
  [/^composer (?:install|update)\b/u, "setup", "php"],
  [
    /^(?:(?:vendor\/bin\/|\.\/vendor\/bin\/)?(?:phpunit|pest|codecept run|behat)|composer (?:run(?:-script)? )?tests?|php artisan test)(?=\s|$|:)/u,
    "test",
    "php",
  ],
  [
    /^(?:(?:vendor\/bin\/|\.\/vendor\/bin\/)?(?:phpstan|psalm|phpcs|pint --test|php-cs-fixer .*--dry-run)|composer (?:run(?:-script)? )?(?:lint|cs|analy[sz]e|phpstan))/u,
    "lint",
    "php",
  ],
  [/^swift package resolve/u, "setup", "swift"],
  [/^swift test/u, "test", "swift"],
  [/^(?:swiftlint|swift format lint|swift-format lint)/u, "lint", "swift"],
  [/^swift build/u, "build", "swift"],
  [/^cmake (?:-S|-B|--preset|\.\.|\.$)/u, "setup", "cmake"],
  [/^ctest\b/u, "test", "cmake"],
  [/^cmake --build/u, "build", "cmake"],
];

/** It names which packages, tests, steps or machines it takes, or leaves out. */
const selecting =
  / (?:--projects?|-pl|--filter|--package|-p|-x|--exclude|--tests|-Dtest=\S+|--scope|--bin|--example|-k|-m|--workspace[= ](?!-)\S+|affected|--since|--changed|--target|--manifest-path|--shard|--?tags|--only-\w+)(?:[= ]|$)|^cargo \+|^(?:\.\/)?gradlew?(?: .*?)? :?[\w-]+(?::[\w-]+)+/u;
/** A path below the folder that holds tests, or one of Go without what lies below it. */
const deepPath = /\s(?:\.\/)?[\w.-]+\/[\w.-]+|\s\.\/[\w.-]+\/?(?=\s|$)/u;

const isPart = (command: string, kind: CommandKind): boolean =>
  (selecting.test(command) && !/^python|-m pip /u.test(command)) ||
  (kind === "test" &&
    deepPath.test(command.replaceAll(/ (?:--[\w-]+=\S+|-c \S+|--config \S+|\S*\.\.\.\S*)/gu, "")));

/** Which scripts and targets are for what, by their names. */
const names: readonly (readonly [RegExp, CommandKind])[] = [
  [
    /^(?:lint|eslint|linter?s?|check[:-](?:lint|types|format|style)|types?(?:[:-]?check(?:er)?)?|check-types|typecheck(?:er)?|type-check|tsc|format[:-]check|fmt[:-]check|check[:-]?(?:format|fmt)|prettier[:-]check|style|stylelint|vet|clippy|mypy|rubocop|credo|static|analy[sz]e)(?:[:._-](?!fix|staged)[\w:-]+)?$/u,
    "lint",
  ],
  [
    /^(?:ci[:-])?(?:tests?|spec|specs|unit|unit-?tests?|jest|vitest|mocha|coverage|cover|check-all)(?:[:._-][\w:.-]+)?$|^(?:\w+[:-])?tests?$/u,
    "test",
  ],
  [/^(?:build|compile|dist)(?:[:._-](?!storybook)[\w:-]+)?$/u, "build"],
  [/^(?:setup|bootstrap|install|init|deps|dependencies|dev-?setup|venv|install-deps|install-dev)$/u, "setup"],
  [/^(?:check|verify|validate|ci|qa)$/u, "lint"],
];
const mending = /(?:^|[:._-])(?:fix|write|watch|staged|dev|update|debug|ui|open|serve)(?:$|[:._-])/u;

/** What a script or target of that name is for; undefined where the name does not tell. */
export const kindOfName = (name: string): CommandKind | undefined =>
  mending.test(name) ? undefined : names.find(([pattern]) => pattern.test(name))?.[1];

export const isSpecial = (text: string): boolean => special.test(text);
export const isWatching = (command: string): boolean =>
  watching.test(command) && !/--watch(?:All)?(?:=| )false|--no-watch/u.test(command);

/** Verbs of the managers themselves, that a script of that name does not change. */
const builtIn = /^(?:install|i|init|add|ci|exec|dlx|create|version|x)$/u;

/** A name that says more than what it is for: one suite of several. */
const isNarrow = (name: string | undefined): boolean =>
  name !== undefined && /^tests?[:._-](?!(?:ci|all|run|once|unit|node)$)/u.test(name);

/** What a command is for; undefined where it is for something else, or we cannot tell. */
export function classOf(command: string): Class | undefined {
  const whole = bare(command);
  if (foreign.test(whole) || outward.test(whole) || asking.test(whole) || isWatching(whole)) return undefined;
  const plain = unwrapped(whole);
  const scoped = (kind: CommandKind, ecosystem: Ecosystem | undefined, name?: string): Class => ({
    kind,
    ecosystem,
    scope: isPart(plain, kind) ? "part" : isSpecial(plain) || isNarrow(name) ? "longer" : "plain",
  });
  for (const [pattern, kind, ecosystem] of rules) if (pattern.test(plain)) return scoped(kind, ecosystem);
  const script = runner.exec(plain)?.[1];
  if (script !== undefined && !builtIn.test(script)) {
    const kind = script === "t" ? "test" : kindOfName(script);
    return kind && scoped(kind, "node", script);
  }
  const target =
    /^(?:g?make(?: -C \S+| -j ?\d*)*|just|task|mise run|mage|invoke|inv|rake) ([\w:.-]+)(?: |$)/u.exec(
      plain,
    ) ??
    /^(?:(?:ba)?sh )?(?:\.\/)?(?:scripts?|bin|ci|tools)\/(setup|bootstrap|install|tests?|lint|check|build)(?:\.(?:sh|bash|py|js|mjs))?(?: |$)/u.exec(
      plain,
    );
  const kind = target?.[1] === undefined ? undefined : kindOfName(target[1]);
  return kind && scoped(kind, undefined, target?.[1]);
}

/** Without the word that finds the tool: `uv run`, `npx`, `bundle exec` and their like. */
export function unwrapped(command: string): string {
  let now = command;
  for (let times = 0; times < 3; times += 1)
    now = now.replace(
      /^(?:npx(?: --no(?:-install)?| --yes| -y)*|pnpm (?:exec|dlx)|yarn (?:exec|dlx)|bunx|bun x|uv run(?: --(?:frozen|locked|all-extras|no-sync|dev)| --(?:extra|group|with|python) \S+)*|uvx|pipx run|poetry run|pdm run|pipenv run|bundle exec|(?:pnpm|yarn)(?= (?:turbo|nx|lerna|vitest|jest|mocha|ava|eslint|tsc|vue-tsc|biome|oxlint|prettier|playwright|cypress|stylelint|knip) )|xvfb-run(?: -a)?|cross-env(?: \w+=\S+)*|(?:\.?venv\/bin\/)?python[\d.]* -m(?= (?!pip))|\.?venv\/bin\/(?=\w)) ?/u,
      "",
    );
  return now;
}
