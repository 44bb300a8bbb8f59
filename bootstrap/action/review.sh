#!/usr/bin/env bash
# The one step of the action: puts the command line together from the inputs and runs it.
set -euo pipefail

refuse() {
  echo "::error title=forgehand review::$1"
  exit 4
}

# A workflow that runs for strangers' pull requests with this repository's secrets must not feed their code to an agent.
[ "${GITHUB_EVENT_NAME:-}" != pull_request_target ] ||
  refuse 'This action does not run on pull_request_target. Use "on: pull_request".'

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
program="$root/dist/cli/forgehand.js"
if [ ! -f "$program" ]; then
  command -v node >/dev/null || refuse 'Node.js is missing. Put actions/setup-node with node-version 24 before this step.'
  # The action has no use for this step's secrets while it is built.
  (cd "$root" && env -u GH_TOKEN -u ANTHROPIC_API_KEY -u OPENAI_API_KEY -u CODEX_API_KEY \
    bash -c 'npm ci --no-audit --no-fund && npm run -s build') >&2
fi

arguments=(review)
if [ -n "${REVIEW_BASE:-}" ]; then
  [ "${REVIEW_POST:-false}" != true ] || refuse '"post" needs the pull request of the event: leave "base" out.'
  arguments+=("--base=$REVIEW_BASE")
elif [[ "${GITHUB_REF:-}" =~ ^refs/pull/([0-9]+)/ ]]; then
  arguments+=("--pr=$GITHUB_REPOSITORY#${BASH_REMATCH[1]}")
else
  refuse 'This event has no pull request. Use "on: pull_request", or give "base" and check the code out with fetch-depth: 0.'
fi
[ -z "${REVIEW_RUNTIME:-}" ] || arguments+=("--runtime=$REVIEW_RUNTIME")
[ -z "${REVIEW_PANEL:-}" ] || arguments+=("--panel=$REVIEW_PANEL")
[ -z "${REVIEW_BUDGET:-}" ] || arguments+=("--budget=$REVIEW_BUDGET")
[ -z "${REVIEW_TIMEOUT:-}" ] || arguments+=("--timeout=$REVIEW_TIMEOUT")
[ "${REVIEW_POST:-false}" != true ] || arguments+=(--post)
case "${REVIEW_FAIL_ON:-blocker}" in
  polish) arguments+=(--strict) ;;
  blocker | gate | never) arguments+=("--fail-on=$REVIEW_FAIL_ON") ;;
  *) refuse '"fail-on" is one of blocker, polish, gate, never.' ;;
esac
[ -z "${REVIEW_SARIF:-}" ] || arguments+=(--format=sarif "--output=$REVIEW_SARIF")

code=0
report="$(mktemp)"
trap 'rm -f "$report"' EXIT
# What agents say must not be taken for commands to the runner.
mark="$(node -e 'process.stdout.write(require("node:crypto").randomUUID())')"
echo "::stop-commands::$mark"
node "$program" "${arguments[@]}" >"$report" || code=$?
cat "$report"
echo "::$mark::"
case "$(head -n 1 "$report")" in
  PASS:*) verdict=pass ;;
  FAIL:*) verdict=fail ;;
  BLOCKED*) verdict=blocked ;;
  *) if [ "$code" = 0 ]; then verdict=pass; else verdict=blocked; fi ;;
esac
[ -z "${GITHUB_OUTPUT:-}" ] || echo "verdict=$verdict" >>"$GITHUB_OUTPUT"
exit "$code"
