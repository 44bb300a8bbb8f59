/** Who somebody of Linear is on the forge: only there are permissions read. */
import type { Forge, Repo } from "./ports.ts";
import type { LinearPerson } from "./ports-linear-issues.ts";

export interface LinkedPeople {
  readonly forge: Pick<Forge, "loginOf">;
  /** As the operator says, for who has not linked their account; by id or email. */
  loginGiven(person: Pick<LinearPerson, "id" | "email">, workspace: string): string | undefined;
}

/** Stands for whom Linear does not name. No login of the forge has a colon, so that none of these is anybody there. */
export const ghost = "linear:nobody";
const unlinked = "linear:";

/** The login that the operator gave, else that of the account they linked in Linear; else a name that is no login. */
export async function loginOfPerson(
  { forge, loginGiven }: LinkedPeople,
  repo: Repo,
  workspace: string,
  person: LinearPerson,
): Promise<string> {
  if (person.app) return `${unlinked}${person.displayName}[bot]`;
  const given = loginGiven(person, workspace);
  if (given !== undefined) return given;
  const account = Number(person.gitHubUserId ?? Number.NaN);
  const login = Number.isSafeInteger(account) && account > 0 ? await forge.loginOf(repo, account) : undefined;
  return login ?? `${unlinked}${person.displayName}`;
}

/** Whether this stands for somebody of Linear whom the forge does not know. */
export const isUnlinked = (login: string): boolean => login.startsWith(unlinked);
