import { z } from "zod";

/** One secret that Linear signs webhooks with. */
export interface LinearWebhookSecret {
  readonly secret: string;
  /** Id of the one workspace it speaks for; undefined for an application's, which speaks for all that installed it. */
  readonly workspace: string | undefined;
}
const uuid = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
const entry = new RegExp(`^(?:(${uuid})=)?([^\\s,=]+=*)$`, "u");

/** `SECRET`, or `WORKSPACE-ID=SECRET`; several with commas between. */
export const linearSecretsSchema = z
  .string()
  .min(1, "it is empty")
  .max(20_000, "it is too long")
  .transform((text, context): readonly LinearWebhookSecret[] =>
    text.split(",").flatMap((part) => {
      const [, workspace, secret] = entry.exec(part.trim()) ?? [];
      if (secret !== undefined) return [{ secret, workspace: workspace?.toLowerCase() }];
      // The entry itself may be a secret and is not repeated.
      context.addIssue(
        "each entry is a secret, or the id of a workspace (a UUID), = and its secret; commas stand between",
      );
      return [];
    }),
  );
