/** Configuration of what checks: runners, linters, compilers, coverage. */
const checks =
  /(?:^|\/)(?:\.?eslintrc[^/]*|eslint\.config\.[cm]?[jt]s|\.eslintignore|\.?oxlintrc\.jsonc?|biome\.jsonc?|\.stylelintrc[^/]*|\.prettierignore|\.?ruff\.toml|\.flake8|\.pylintrc|pylintrc|mypy\.ini|\.mypy\.ini|pyrightconfig\.json|\.bandit|\.golangci\.(?:ya?ml|toml|json)|staticcheck\.conf|\.?clippy\.toml|\.rubocop(?:_todo)?\.yml|\.rspec|\.simplecov|\.pre-commit-config\.yaml|lefthook\.yml|\.lintstagedrc[^/]*|(?:vitest|vite|jest|playwright|cypress|karma|ava|wdio)(?:\.[\w-]{1,30})?\.(?:config|conf)\.[cm]?[jt]s|(?:vitest|jest|playwright|cypress)\.config\.json|vitest\.workspace\.[jt]s|jest\.setup\.[jt]s|\.mocharc[^/]*|\.taprc|pytest\.ini|\.pytest\.ini|tox\.ini|noxfile\.py|\.?codecov\.ya?ml|\.nycrc[^/]*|\.c8rc[^/]*|\.coveragerc|sonar-project\.properties|tarpaulin\.toml|nextest\.toml|checkstyle[^/]*\.xml|pmd[^/]*\.xml|spotbugs[^/]*\.xml|detekt[^/]*\.(?:ya?ml|xml)|[^/]*(?:baseline|suppress)[^/]*\.(?:xml|json|ya?ml|toml|neon)|\.editorconfig|\.globalconfig|[^/]*\.ruleset|[^/]*\.runsettings|phpunit\.xml(?:\.dist)?|phpstan\.neon(?:\.dist)?|\.credo\.exs|\.swiftlint\.yml|knip\.jsonc?|\.dependency-cruiser\.[cm]?js|stryker\.conf[^/]*|\.tsqllintrc|\.hadolint\.ya?ml|\.shellcheckrc|\.yamllint(?:\.ya?ml)?|\.trivyignore|\.snyk|\.gitleaks\.toml|\.gitleaksignore|\.secretlintrc[^/]*|\.secretlintignore)$/u;
const compilers = /(?:^|\/)(?:tsconfig[^/]*\.json|jsconfig\.json)$/u;
const ci =
  /(?:^|\/)(?:\.github\/(?:workflows|actions)\/.+|\.gitlab-ci\.ya?ml|\.gitlab\/ci\/.+|\.circleci\/.+|Jenkinsfile[^/]*|azure-pipelines[^/]*\.ya?ml|\.azure-pipelines\/.+|\.travis\.yml|bitbucket-pipelines\.yml|\.buildkite\/.+|\.drone\.ya?ml|appveyor\.yml|\.appveyor\.yml|\.woodpecker(?:\/.+|\.ya?ml)|cloudbuild\.ya?ml|buildspec\.ya?ml|\.husky\/.+|\.forgejo\/workflows\/.+|\.gitea\/workflows\/.+)$/u;
/** What is built and depended on, with sections for checks in it. */
const manifests =
  /(?:^|\/)(?:package\.json|deno\.jsonc?|pyproject\.toml|setup\.(?:cfg|py)|Cargo\.toml|\.cargo\/config\.toml|go\.(?:mod|sum|work)|pom\.xml|[^/]*\.gradle(?:\.kts)?|gradle\.properties|[^/]*\.[cf]sproj|Directory\.(?:Build|Packages)\.(?:props|targets)|Gemfile|[^/]*\.gemspec|composer\.json|mix\.exs|Package\.swift|requirements[^/]*\.txt|[^/]*\.lock|package-lock\.json|pnpm-lock\.yaml|lerna\.json|nx\.json|turbo\.json)$/u;
/** What runs checks by hand. */
const scripts =
  /(?:^|\/)(?:GNUmakefile|[Mm]akefile(?:\.\w{1,20})?|[^/]*\.mk|justfile|Justfile|Taskfile\.ya?ml|Rakefile|[^/]*\.rake|noxfile\.py|tox\.ini|build\.xml|Earthfile|Dockerfile[^/]*|Procfile|mage(?:file)?\.go|[^/]*\.(?:sh|bash|zsh|ps1|bat|cmd))$/u;

export const isCi = (path: string): boolean => ci.test(path);
export const isManifest = (path: string): boolean => manifests.test(path);
export const isScript = (path: string): boolean => scripts.test(path);
export const isCheckConfig = (path: string): boolean =>
  checks.test(path) || compilers.test(path) || ci.test(path);
