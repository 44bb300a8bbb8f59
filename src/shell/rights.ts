/** What people of the forge may see and do here: what they may in each repository there, now. */
import type { People, Standing } from "../ports-dashboard-access.ts";
import type { Right, Viewer } from "../ports-dashboard.ts";
import { Trouble, type Forge, type Permission, type Repo } from "../ports.ts";

/** What is shown may be this old. */
const viewMs = 60_000;
/** People whose standing is remembered; beyond that the oldest is asked again. */
const maxPeople = 1_000;
/** Repositories that are asked for one person; nobody sees any beyond. */
const maxRepos = 500;
/** Questions to the forge at once. */
const atOnce = 8;

/** Of a public repository everybody may read: that alone opens nothing here. */
const rightBy: Readonly<Record<Permission, (isPrivate: boolean) => Right | undefined>> = {
  none: () => undefined,
  read: (isPrivate) => (isPrivate ? "see" : undefined),
  triage: () => "see",
  write: () => "act",
  maintain: () => "act",
  admin: () => "administer",
};

export interface RightsOptions {
  readonly forge: Pick<Forge, "permission" | "loginOf">;
  /** Those that are served. */
  readonly repos: () => Promise<readonly Repo[]>;
  /** Logins of who may everything. */
  readonly operators: readonly string[];
  readonly now: () => number;
}
interface Known {
  /** When asking began. */
  readonly at: number;
  readonly standing: Promise<Standing | undefined>;
}

/** Answers from what the forge said within the last minute, or asks. Throws `Trouble` while it cannot be asked: then nobody is shown anything. */
export function openRights(options: RightsOptions): People {
  const known = new Map<number, Known>();
  const ask = (account: number, work: () => Promise<Standing | undefined>): Promise<Standing | undefined> => {
    const asked: Known = { at: options.now(), standing: work() };
    known.delete(account);
    known.set(account, asked);
    const [oldest] = known.keys();
    if (known.size > maxPeople && oldest !== undefined) known.delete(oldest);
    // What could not be asked is asked again.
    asked.standing.catch(() => {
      if (known.get(account) === asked) known.delete(account);
    });
    return asked.standing;
  };
  return {
    standing: async (account, asOf) => {
      const before = known.get(account);
      const isLate = before === undefined || options.now() - before.at >= viewMs;
      if (isLate) return await ask(account, () => standingOf(options, account, undefined));
      if (asOf === "lately") return await before.standing;
      // Whoever could only look may at worst still only look: those repositories can wait out the minute.
      const lately = await before.standing;
      if (lately === undefined || (lately.rights !== "operator" && lately.rights.size === 0))
        return await ask(account, () => standingOf(options, account, undefined));
      const now = await standingOf(options, account, lately.rights);
      if (known.get(account) === before)
        known.set(account, { at: before.at, standing: Promise.resolve(now) });
      return now;
    },
  };
}

/** `lately`: rights that are taken as they were where they allow no more than looking. */
async function standingOf(
  options: RightsOptions,
  account: number,
  lately: Viewer["rights"] | undefined,
): Promise<Standing | undefined> {
  const { forge, operators } = options;
  const repos = (await options.repos()).slice(0, maxRepos);
  const [first] = repos;
  if (first === undefined) return undefined;
  const login = await anyOf(repos, (repo) => forge.loginOf(repo, account));
  if (login === undefined) return undefined;
  if (operators.some((one) => one.toLowerCase() === login.toLowerCase()))
    return { login, rights: "operator" };
  const rights = new Map<number, Right>();
  const looks = lately === undefined || lately === "operator" ? undefined : lately;
  const toAsk = repos.filter(({ id }) => {
    const right = looks?.get(id);
    if (right === "see") rights.set(id, right);
    return looks === undefined || (right !== undefined && right !== "see");
  });
  const troubles: Trouble[] = [];
  for (let from = 0; from < toAsk.length; from += atOnce)
    await Promise.all(
      toAsk.slice(from, from + atOnce).map(async (repo) => {
        try {
          const right = rightBy[await forge.permission(repo, login)](repo.private);
          if (right !== undefined) rights.set(repo.id, right);
        } catch (error) {
          if (!(error instanceof Trouble)) throw error;
          troubles.push(error);
        }
      }),
    );
  const [trouble] = troubles;
  if (trouble !== undefined && troubles.length === toAsk.length) throw trouble;
  return { login, rights };
}

/** Any repository will do to ask who somebody is; one of them may be out of reach. */
async function anyOf(
  repos: readonly Repo[],
  ask: (repo: Repo) => Promise<string | undefined>,
): Promise<string | undefined> {
  let last: Trouble | undefined;
  for (const repo of repos.slice(0, atOnce)) {
    try {
      return await ask(repo);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      last = error;
    }
  }
  throw last ?? new Trouble("github-unavailable", "There is no repository to ask by.");
}
