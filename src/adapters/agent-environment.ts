/** Names of ours and of forges and trackers; no agent ever sees one, whatever the operator's shell exports. */
export interface AgentHost {
  /** Where the runtime finds its login. */
  readonly home: string;
  readonly searchPath: string;
  readonly tmp: string;
  /** The runtime's own variables, such as its API key, by name. */
  readonly own: Readonly<Record<string, string>>;
}

/** The whole environment of an agent, said variable by variable: nothing is inherited. */
export function agentEnvironment(host: AgentHost): Record<string, string> {
  return {
    PATH: host.searchPath,
    HOME: host.home,
    TMPDIR: host.tmp,
    LANG: "C.UTF-8",
    TERM: "dumb",
    NO_COLOR: "1",
    CI: "true",
    ...host.own,
  };
}
