#!/usr/bin/env bash
# The one step of the action: puts the command line together from the inputs and runs it.
set -euo pipefail

refuse() {
  echo "::error title=forgehand review::$1"
  [ -z "${GITHUB_OUTPUT:-}" ] || echo verdict=blocked >>"$GITHUB_OUTPUT"
  exit 4
}

# A workflow that runs for strangers' pull requests with this repository's secrets must not feed their code to an agent.
[ "${GITHUB_EVENT_NAME:-}" != pull_request_target ] ||
  refuse 'This action does not run on pull_request_target. Use "on: pull_request".'

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
program="$root/dist/cli/forgehand.js"
node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 22 || (major === 22 && minor >= 12) ? 0 : 1)' 2>/dev/null ||
  refuse 'Node.js 22.12 or newer is missing. Put actions/setup-node with node-version 24 before this step.'
if [ ! -f "$program" ]; then
  # Building has no use for this step's secrets, whatever they are called: nothing is handed on but what npm needs.
  handed=()
  for name in PATH HOME TMPDIR LANG HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy \
    NPM_CONFIG_REGISTRY npm_config_registry NODE_EXTRA_CA_CERTS SSL_CERT_FILE; do
    [ -z "${!name:-}" ] || handed+=("$name=${!name}")
  done
  if ! (cd "$root" && env -i CI=true "${handed[@]}" bash -c 'npm install --no-save --no-audit --no-fund && npm run -s build') >&2; then
    # A later step of the job must not take half of it for the whole.
    rm -rf "$root/dist"
    refuse 'The action could not be built from its checkout; the log above says why.'
  fi
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
