import type { Viewer } from "../../ports-dashboard.ts";
import type { Deed } from "../../store/deeds.ts";
import type { Workshop } from "../workshop.ts";

/** Tokens are named so at the door. */
export const surfaceBy = (who: string): string => (who.startsWith("token:") ? "API" : "dashboard");

/** What somebody does to the host or a repository, as it is written down. */
export const deedIn =
  ({ clock }: Pick<Workshop, "clock">) =>
  ({ who }: Viewer, what: string, about: string, note = ""): Deed => ({
    at: clock.now(),
    actor: who,
    surface: surfaceBy(who),
    what,
    about,
    note,
  });
