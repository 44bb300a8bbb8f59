import type { LinearAccess, LinearIdentity, WorkspaceId } from "../ports-linear.ts";
import type { LinearTokensOptions } from "./linear-refresh.ts";

/** A person's own key: good for trials, in the one workspace it belongs to. */
export function personal({ oauth, apiKey }: LinearTokensOptions) {
  let known: Promise<LinearIdentity | undefined> | undefined;
  const identity = async (): Promise<LinearIdentity | undefined> => {
    if (apiKey === undefined) return undefined;
    known ??= oauth.identity(apiKey, "person").catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return await known;
  };
  const out = (workspace: WorkspaceId, why: string, fix: string): LinearAccess => ({
    is: "signed-out",
    workspace,
    name: workspace,
    since: undefined,
    why,
    fix,
  });
  return {
    identity,
    /** `refused`: a token that Linear did not take, although it should hold. */
    access: async (workspace: WorkspaceId, refused: string | undefined): Promise<LinearAccess> => {
      const fix = "`forgehand auth linear` signs in";
      if (apiKey === undefined) return out(workspace, "nobody has signed in to it", fix);
      const own = refused === apiKey ? undefined : await identity();
      if (own === undefined)
        return out(
          workspace,
          "Linear does not accept FORGEHAND_LINEAR_API_KEY",
          `make a new key in Linear (Settings, Security & access), or ${fix}`,
        );
      if (own.workspace.id !== workspace)
        return out(workspace, `FORGEHAND_LINEAR_API_KEY belongs to the workspace ${own.workspace.name}`, fix);
      return { is: "granted", token: apiKey, as: "person", expiresAt: undefined };
    },
  };
}
