import { isGone } from "./trouble.ts";

/** Archived issues and those in the bin are gone to us. */
export const isHidden = (raw: {
  readonly archivedAt: string | undefined;
  readonly trashed?: boolean | undefined;
}): boolean => raw.archivedAt !== undefined || raw.trashed === true;

/** Undefined in place of an issue, or a comment, that is gone. */
export async function unlessGone<Result>(
  work: () => Promise<Result>,
  what: "Issue" | "Comment" | "User" = "Issue",
): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isGone(error, what)) return undefined;
    throw error;
  }
}
