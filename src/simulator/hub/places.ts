import { iso } from "./time.ts";
import type { HubState, SimApp, SimRepo } from "./state.ts";

/** How GitHub spells people, organisations, repositories and Apps. */
export function userOf(state: HubState, login: string) {
  const person = state.people.get(login);
  const name = encodeURIComponent(login);
  return {
    login,
    id: person?.id ?? 0,
    node_id: `U_${person?.id ?? 0}`,
    avatar_url: `${state.url}/avatars/${name}`,
    gravatar_id: "",
    url: `${state.url}/users/${name}`,
    html_url: `${state.url}/${name}`,
    type: person?.type ?? "User",
    site_admin: false,
  };
}

/** Somebody's own page. */
export const publicUserOf = (state: HubState, login: string) => ({
  ...userOf(state, login),
  name: login,
  company: null,
  blog: null,
  location: null,
  email: null,
  hireable: null,
  bio: null,
  public_repos: 0,
  public_gists: 0,
  followers: 0,
  following: 0,
  created_at: "2020-01-01T00:00:00Z",
  updated_at: "2020-01-01T00:00:00Z",
});

export const organizationOf = (state: HubState, login: string) => ({
  login,
  id: state.people.get(login)?.id ?? 0,
  node_id: `O_${state.people.get(login)?.id ?? 0}`,
  url: `${state.url}/orgs/${login}`,
  description: null,
});

/** What stands between a person and a repository, in the word GitHub puts beside what they write. */
export function associationOf(repo: SimRepo, login: string): "OWNER" | "COLLABORATOR" | "NONE" {
  if (login === repo.owner) return "OWNER";
  const role = repo.members.get(login) ?? "none";
  return role === "none" || role === "read" ? "NONE" : "COLLABORATOR";
}

export function minimalRepoOf(state: HubState, repo: SimRepo) {
  return {
    id: repo.id,
    node_id: `R_${repo.id}`,
    name: repo.name,
    full_name: `${repo.owner}/${repo.name}`,
    owner: userOf(state, repo.owner),
    private: false,
    html_url: `${state.url}/${repo.owner}/${repo.name}`,
    url: `${state.url}/repos/${repo.owner}/${repo.name}`,
    description: null,
    fork: repo.isFork === true,
  };
}

export function repoOf(state: HubState, repo: SimRepo) {
  const open = [...repo.threads.values()].filter((thread) => thread.state === "open" && !thread.gone).length;
  return {
    ...minimalRepoOf(state, repo),
    default_branch: repo.defaultBranch,
    visibility: "public",
    topics: [],
    homepage: null,
    language: null,
    license: null,
    size: 0,
    forks: 0,
    forks_count: 0,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    open_issues: open,
    open_issues_count: open,
    has_issues: repo.issuesOff !== true,
    has_projects: false,
    has_downloads: false,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    allow_squash_merge: true,
    allow_merge_commit: true,
    allow_rebase_merge: true,
    allow_auto_merge: repo.allowsAutoMerge,
    archived: repo.archived === true,
    disabled: false,
    created_at: iso(repo.createdAt),
    updated_at: iso(repo.createdAt),
    pushed_at: iso(repo.pushedAt),
    permissions: { admin: false, maintain: false, push: true, triage: false, pull: true },
  };
}

/** A repository on its own carries two more numbers than one in a list. */
export const fullRepoOf = (state: HubState, repo: SimRepo) => ({
  ...repoOf(state, repo),
  network_count: 0,
  subscribers_count: 0,
});

/** Our own App, or the one whose check runs are CI's. */
/** The App by which GitHub Actions reports its jobs. */
export const actionsApp = 15_368;

export function appOf(state: HubState, id: number) {
  const { app } = state;
  const slug = id === app.id ? app.slug : id === actionsApp ? "github-actions" : "ci";
  return {
    id,
    slug,
    node_id: `A_${id}`,
    owner: userOf(state, app.owner),
    name: slug,
    description: null,
    external_url: `${state.url}/${slug}`,
    html_url: `${state.url}/apps/${slug}`,
    created_at: iso(app.createdAt),
    updated_at: iso(app.createdAt),
    permissions: id === app.id ? app.permissions : { checks: "write" },
    events: id === app.id ? app.events : [],
  };
}

/** The App a comment or issue was written by, when it was ours. */
export const viaApp = (state: HubState, login: string) =>
  state.people.get(login)?.type === "Bot" && login === `${state.app.slug}[bot]`
    ? appOf(state, state.app.id)
    : null;

/** The App is installed at every account that has a repository, each time under an id of its own; the first has the App's. */
export function installationsOf({
  app,
  repos,
}: HubState): readonly { readonly id: number; readonly owner: string }[] {
  if (app.installed === false) return [];
  const owners = repos.length === 0 ? [app.owner] : [...new Set(repos.map(({ owner }) => owner))];
  return owners.map((owner, nth) => ({ id: app.installation + nth, owner }));
}
export const installationAt = (state: HubState, owner: string): number =>
  installationsOf(state).find((one) => one.owner === owner)?.id ?? state.app.installation;

export function installationOf(state: HubState, app: SimApp, owner: string) {
  const id = installationAt(state, owner);
  return {
    id,
    account: { ...userOf(state, owner), type: "Organization" },
    repository_selection: "all",
    access_tokens_url: `${state.url}/app/installations/${id}/access_tokens`,
    repositories_url: `${state.url}/installation/repositories`,
    html_url: `${state.url}/organizations/${owner}/settings/installations/${id}`,
    app_id: app.id,
    app_slug: app.slug,
    target_id: state.people.get(owner)?.id ?? 0,
    target_type: "Organization",
    permissions: app.permissions,
    events: app.events,
    created_at: iso(app.createdAt),
    updated_at: iso(app.createdAt),
    single_file_name: null,
    suspended_by: null,
    suspended_at: app.suspendedAt === undefined ? null : iso(app.suspendedAt),
  };
}
