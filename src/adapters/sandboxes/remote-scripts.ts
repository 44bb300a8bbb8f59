/**
 * What a shell elsewhere is told, on an ssh host or in a pod: plain POSIX sh, with tar and /proc. An order lies in a
 * folder of its own there:
 *
 *     order.sh    starts it, once and never again; it removes itself, for it holds the environment
 *     started/    made by whoever comes first: the start, or the end that forbids it
 *     f0/, f1/    copies of this host's folders
 *     home/       its HOME where none was sent
 *     tmp/        its TMPDIR where it is not confined; so whatever it starts names the folder in its environment
 */
import { Trouble } from "../../ports.ts";

/** Where an order lies elsewhere. */
export interface RemotePlace {
  /** Absolute, and nobody else's. */
  readonly root: string;
}
export interface RemoteStart extends RemotePlace {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Put before the search path of that place. */
  readonly searchPath: string | undefined;
  /** Ended there by itself after this long, should nobody be able to come and end it. */
  readonly turnMs: number;
  /** Largest file it may write. */
  readonly diskMb: number | undefined;
  /** Stands before the program. */
  readonly before: readonly string[];
  /** `repository`: the folder it works in is under git here, so it gets a history of one commit there. */
  readonly git: "repository" | "none";
  /** How that place is called, in a message. */
  readonly where: string;
}

/** Exit code of a start that came second. */
const startedBefore = 97;
/** Beyond the turn's own limit, which is kept here. */
const slackMs = 60_000;
/** However long an order may take. */
const longestMs = 24 * 60 * 60_000;

/** One word for a POSIX shell, whatever it holds. */
export function word(text: string): string {
  if (text.includes("\0"))
    throw new Trouble("sandbox-order", "an argument or variable holds a NUL character", { permanent: true });
  return /^[\w@%+=:,./-]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
const words = (list: readonly string[]): string => list.map(word).join(" ");

/** Starts the order; its output and exit code are the script's own. */
export function startScript(start: RemoteStart): string {
  const { root, env, where, file } = start;
  const variables = Object.entries(env).filter(([name]) => name !== "PATH" && /^[A-Za-z_]\w*$/u.test(name));
  const search = start.searchPath === undefined ? "" : `${word(start.searchPath)}:`;
  const seconds = Math.ceil(Math.min(start.turnMs + slackMs, longestMs) / 1_000);
  return `#!/bin/sh
cd ${word(root)} || exit ${startedBefore}
if ! mkdir started 2>/dev/null; then ${comesSecond(where)}; fi
rm -f order.sh
search=$PATH
for name in $(env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p'); do
  case $name in PATH|HOME|PWD) ;; *) unset "$name" ;; esac
done
PATH=${search}$search
export PATH
${variables.map(([name, value]) => `export ${name}=${word(value)}`).join("\n")}
umask 022
mkdir -p tmp home
cd ${word(start.cwd)} || exit ${startedBefore}
${start.git === "repository" ? historyOfOne : ""}
${file.includes("/") ? "" : isThere(file, where)}
${start.diskMb === undefined ? "" : `ulimit -f ${start.diskMb * 2048}`}
exec timeout -k 5 ${seconds} ${words([...start.before, file, ...start.args])}
`;
}

const isThere = (file: string, where: string): string => `if ! command -v ${word(file)} >/dev/null 2>&1; then
  echo ${word(`forgehand: \`${file}\` is not installed on ${where}, or not on its search path`)} >&2
  exit 127
fi`;

const comesSecond = (where: string): string =>
  `echo ${word(`forgehand: this order was started or ended on ${where} before and is not started again`)} >&2; exit ${startedBefore}`;

/** What a shell there is told to start the order. */
export const startCommand = ({ root }: RemotePlace, where: string): string =>
  `if cd ${word(root)} 2>/dev/null && [ -f order.sh ]; then exec sh order.sh; else ${comesSecond(where)}; fi`;

/** Runtimes want a repository, and agents look at what they changed; ours stays where it is. */
const historyOfOne = `if command -v git >/dev/null 2>&1 && [ ! -e .git ]; then
  (
    export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
    git init -q --template= . && git add -A &&
      git -c user.name=forgehand -c user.email=forgehand@localhost -c commit.gpgsign=false commit -q --no-verify -m base
  ) >/dev/null 2>&1 </dev/null
fi`;

/** What the script below ends with when the order was never laid there. */
export const neverThere = 96;

/**
 * Ends whoever is at work for the order, and whoever would start it later: SIGTERM, three seconds, SIGKILL. Then writes
 * these folders of it to stdout as a tar stream that ends with the name `last`.
 */
export function endScript({ root }: RemotePlace, names: readonly string[], last: string): string {
  return `root=${word(root)}
if [ ! -d "$root" ]; then exit ${neverThere}; fi
mkdir "$root/started" 2>/dev/null
rm -f "$root/order.sh"
found() {
  {
    grep -lF -- "$root/" /proc/[0-9]*/environ
    ls -ld /proc/[0-9]*/cwd /proc/[0-9]*/exe | sed 's|$|/|' | grep -F -- " -> $root/" | sed 's|.* \\(/proc/[0-9]*/\\)[a-z]* -> .*|\\1|'
  } 2>/dev/null | cut -d/ -f3 | sort -u
}
round=0
while pids=$(found) && [ -n "$pids" ]; do
  round=$((round + 1))
  [ "$round" -eq 1 ] && kill -TERM $pids 2>/dev/null
  [ "$round" -gt 30 ] && kill -KILL $pids 2>/dev/null
  if [ "$round" -gt 100 ]; then echo "processes" $pids "cannot be ended" >&2; exit 75; fi
  sleep 0.1 2>/dev/null || sleep 1
done
${names.length === 0 ? "exit 0" : fetchPart(names, last)}
`;
}

/** Writes folders below `$root` to stdout; the end of a script. */
export const fetchPart = (names: readonly string[], last: string): string => `cd "$root" || exit 1
rm -rf ${words(names.map((name) => `${name}/.git`))}
: > ${word(last)}
exec tar -cf - ${words([...names, last])}`;

/** Removes whatever is left of the order there. */
export function removeScript({ root }: RemotePlace): string {
  return `chmod -R u+rwX ${word(root)} 2>/dev/null
rm -rf ${word(root)}
`;
}

/** Paths of this host become those they have elsewhere, wherever they stand in a text. */
export function rewritten(text: string, paths: ReadonlyMap<string, string>): string {
  const known = [...paths.keys()].toSorted((one, other) => other.length - one.length);
  if (known.length === 0) return text;
  const any = known.map((path) => path.replaceAll(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`)).join("|");
  return text.replaceAll(
    new RegExp(`(?<![\\w./-])(?:${any})(?![\\w-]|\\.\\w)`, "gu"),
    (path) => paths.get(path) ?? path,
  );
}
