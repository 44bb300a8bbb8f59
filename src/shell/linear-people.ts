import { ghost, loginOfPerson } from "../linear-people.ts";
import type { Repo } from "../ports.ts";
import type { Sender } from "../webhooks/heard.ts";
import type { LinearActor } from "../webhooks/read-linear.ts";
import type { LinearSide, Workshop } from "./workshop.ts";

/** Who did something in Linear, as the forge knows them: whatever they may follows from there. */
export async function senderOf(
  { forge }: Pick<Workshop, "forge">,
  { issues, loginGiven }: LinearSide,
  by: LinearActor,
  {
    repo,
    workspace,
    self = "ours",
  }: {
    readonly repo: Repo;
    readonly workspace: string;
    /** Whose a deed of the account we work with is: a person's, where it is their key and their own hand. */
    readonly self?: "ours" | "a person's";
  },
): Promise<Sender> {
  if (self === "ours" && by.id !== undefined && by.id === (await issues.identity(workspace)).id)
    return { login: "forgehand", id: 0, kind: "forgehand" };
  if (by.is !== "user" || by.id === undefined) return automation(by.name ?? by.is);
  const person = await issues.person(workspace, by.id);
  if (person === undefined) return { login: ghost, id: 0, kind: "person" };
  if (person.app) return automation(person.displayName);
  const login = await loginOfPerson({ forge, loginGiven }, repo, workspace, person);
  return { login, id: 0, kind: "person" };
}

/** An automation under a login that nobody on the forge can have. */
export const automationNamed = (name: string): string => `linear:${name}[bot]`;
/** What moved a card, in words; Linear's own integrations go by the name of their service. */
export const automationWords = (name: string | undefined): string =>
  name === undefined
    ? "One of Linear's automations"
    : /^github\b/iu.test(name)
      ? "Linear's GitHub automation"
      : name;
const automation = (name: string): Sender => ({ login: automationNamed(name), id: 0, kind: "bot" });
