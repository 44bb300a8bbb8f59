/** Which repository a ticket of another tracker is about. Its text may name one, but only one that was offered to it. */

export interface RepositoryClues {
  readonly labels: readonly string[];
  /** Title and body: whoever may write there is trusted with no more than a choice among what is offered. */
  readonly text: string;
  readonly workspace: string;
  readonly team: { readonly id: string; readonly key: string };
  readonly project: { readonly id: string; readonly name: string } | undefined;
}
/** Sends tickets of a team, of a project, or of both together, to one repository. Parts left out fit everything. */
export interface RepositoryRoute {
  readonly workspace?: string | undefined;
  /** Id or key. */
  readonly team?: string | undefined;
  /** Id or name. */
  readonly project?: string | undefined;
  /** `owner/name` */
  readonly repository: string;
}
export interface RepositoryRouting {
  /** `owner/name` of what tickets of this workspace may be built in: never another tenant's. */
  readonly repositories: readonly string[];
  readonly routes: readonly RepositoryRoute[];
}
export type Which =
  | {
      readonly is: "one";
      /** `owner/name`, as it was offered. */
      readonly repository: string;
      /** Branch to build upon, if the text names one. */
      readonly branch: string | undefined;
      readonly by: "label" | "text" | "project" | "team" | "only";
    }
  /** Nothing says which. */
  | { readonly is: "none"; readonly choices: readonly string[] }
  /** It names what is not offered, or a branch that cannot be one. */
  | { readonly is: "unknown"; readonly named: readonly string[]; readonly choices: readonly string[] }
  /** It says more than one. */
  | { readonly is: "several"; readonly named: readonly string[]; readonly choices: readonly string[] };

interface Claim {
  readonly named: string;
  readonly repositories: readonly string[];
  readonly branch: string | undefined;
}

/**
 * A label `repo:<name>` or `repo:<owner/name>`, or `[repo=owner/name#branch]` in the text, says it; else the route of the
 * project, else that of the team; else the only one there is. Whatever is said must come to exactly one.
 */
export function whichRepository(clues: RepositoryClues, routing: RepositoryRouting): Which {
  const { repositories } = routing;
  const labelled = clues.labels.flatMap((label) => {
    const [, slug] = /^repo:\s*(\S+)$/iu.exec(label.trim()) ?? [];
    return slug === undefined ? [] : [claim(slug, undefined, repositories)];
  });
  const written = claimsIn(clues.text, repositories);
  const said = [...labelled, ...written];
  if (said.length > 0) return settle(said, labelled.length > 0 ? "label" : "text", repositories);
  const fits = routing.routes.filter((route) => fitsRoute(route, clues));
  // A route that names the project knows more than one that names the team alone.
  for (const by of ["project", "team"] as const) {
    const routed = fits
      .filter((route) => (route.project !== undefined) === (by === "project"))
      .map((route) => claim(route.repository, undefined, repositories));
    if (routed.length > 0) return settle(routed, by, repositories);
  }
  const [only, ...more] = repositories;
  return only !== undefined && more.length === 0
    ? { is: "one", repository: only, branch: undefined, by: "only" }
    : { is: "none", choices: repositories };
}

type Said = Exclude<Extract<Which, { is: "one" }>["by"], "only">;

function settle(claims: readonly Claim[], by: Said, choices: readonly string[]): Which {
  const unknown = claims.filter(({ repositories }) => repositories.length === 0);
  if (unknown.length > 0) return { is: "unknown", named: unique(unknown.map(({ named }) => named)), choices };
  const found = unique(claims.flatMap(({ repositories }) => repositories));
  const branches = unique(claims.flatMap(({ branch }) => branch ?? []));
  const [repository, ...others] = found;
  if (repository === undefined || others.length > 0) return { is: "several", named: found, choices };
  if (branches.length > 1)
    return { is: "several", named: branches.map((branch) => `${repository}#${branch}`), choices };
  return { is: "one", repository, branch: branches[0], by };
}

/** A name without an owner may fit the repositories of several. */
function claim(slug: string, branch: string | undefined, repositories: readonly string[]): Claim {
  const wanted = slug.toLowerCase();
  const named = branch === undefined ? slug : `${slug}#${branch}`;
  const fitting = repositories.filter((one) => {
    const full = one.toLowerCase();
    return wanted.includes("/") ? full === wanted : full.slice(full.indexOf("/") + 1) === wanted;
  });
  const isSound = branch === undefined || isBranch(branch);
  return { named: named.slice(0, 200), repositories: isSound ? fitting : [], branch };
}

const mostMarks = 20;

/** Marks in quoted code say nothing: they are examples. */
function claimsIn(text: string, repositories: readonly string[]): readonly Claim[] {
  const prose = text.replaceAll(/```[\s\S]*?(?:```|$)/gu, "").replaceAll(/`[^`\n]*`/gu, "");
  return [...prose.matchAll(/\[repo=([^\]\s#]{1,150})(?:#([^\]\s]{1,200}))?\]/giu)]
    .slice(0, mostMarks)
    .map(([, slug = "", branch]) => claim(slug, branch, repositories));
}

/** What git takes for a branch, and no argument of a command. */
const isBranch = (name: string): boolean =>
  /^[\p{L}\p{N}_][\p{L}\p{N}_./+@-]*$/u.test(name) &&
  !/\.\.|\/\/|@\{|\/\.|\.(?:$|\/)|\/$|\.lock(?:$|\/)/u.test(name) &&
  name !== "HEAD" &&
  !name.startsWith("refs/");

const sameWord = (one: string, other: string | undefined): boolean =>
  one.toLowerCase() === other?.toLowerCase();

function fitsRoute(route: RepositoryRoute, { workspace, team, project }: RepositoryClues): boolean {
  const { workspace: ofWorkspace, team: ofTeam, project: ofProject } = route;
  return (
    (ofWorkspace === undefined || ofWorkspace === workspace) &&
    (ofTeam === undefined || ofTeam === team.id || sameWord(ofTeam, team.key)) &&
    (ofProject === undefined || ofProject === project?.id || sameWord(ofProject, project?.name))
  );
}

const unique = (values: readonly string[]): readonly string[] => [...new Set(values)];
