/** What is said to people of the forge about their rights here. */
import type { Viewer } from "../ports-dashboard.ts";

/** Whoever may see no repository does not come in, and does not stay. */
export const isNobody = (rights: Viewer["rights"]): boolean => rights !== "operator" && rights.size === 0;
export const nobody = (login: string): string =>
  `${login} has access to no repository that forgehand serves here: a private one takes read access, a public one triage`;

/** What the forge says, or that it says nothing; why is no business of whoever asks. */
export async function answered<Result>(work: () => Promise<Result>): Promise<Result | "unanswered"> {
  try {
    return await work();
  } catch (error) {
    // Trouble is of the ports, which pages do not know; a fault of ours goes on.
    if (error instanceof Error && error.name === "Trouble") return "unanswered";
    throw error;
  }
}
