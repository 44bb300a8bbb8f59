/** What an agent may know of the host it runs on. */
export interface AgentHost {
  /** Where the runtime finds its login. */
  readonly home: string;
  readonly searchPath: string;
  readonly tmp: string;
  /** The runtime's own variables, such as its API key, by name. */
  readonly own: Readonly<Record<string, string>>;
}

/** Names of ours, of forges and trackers, and of what would run code or lend a login; no agent ever sees one. */
const forbidden =
  /^(?:FORGEHAND|GITHUB|GH|GITLAB|LINEAR|GIT|SSH|LD|DYLD|NODE|NPM|APP_ID$|PRIVATE_KEY$|WEBHOOK_SECRET)(?:_|$)/iu;

/** Whatever the operator lists: no agent is given a variable of this name. */
export const isNeverPassed = (name: string): boolean =>
  forbidden.test(name) && name !== "NODE_EXTRA_CA_CERTS";

/** The whole environment of an agent, said variable by variable: nothing is inherited. */
export function agentEnvironment(host: AgentHost): Record<string, string> {
  const own = Object.entries(host.own).filter(([name]) => !isNeverPassed(name));
  return {
    ...Object.fromEntries(own),
    PATH: host.searchPath,
    HOME: host.home,
    TMPDIR: host.tmp,
    LANG: "C.UTF-8",
    TERM: "dumb",
    NO_COLOR: "1",
    CI: "true",
  };
}

/** How to reach the model from behind a proxy or a private authority: the same for every runtime. */
const authorityVariables = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"];
export const networkVariables: readonly string[] = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  ...authorityVariables,
];
const ownNames = {
  "claude-code": [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_MODEL",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CONFIG_DIR",
  ],
  codex: ["OPENAI_API_KEY", "CODEX_API_KEY", "CODEX_HOME"],
} as const;

/** A runtime's own variables out of the operator's environment: these names and no other. */
export function ownVariables(
  runtime: keyof typeof ownNames,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return namedVariables(ownNames[runtime], env);
}

/** These variables of the operator's environment where they are set, and the way to the network. */
export function namedVariables(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const own: Record<string, string> = {};
  for (const name of [...names, ...networkVariables]) {
    const value = env[name];
    if (value !== undefined && value !== "") own[name] = value;
  }
  return own;
}

/** The files that these variables name; who has the variables must be able to read them. */
export const authorityFiles = (env: Readonly<Record<string, string>>): readonly string[] =>
  authorityVariables.flatMap((name) => env[name] ?? []);
