import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Delivery } from "./github.ts";
import { isReadOfLinear } from "./linear-events.ts";

/** One secret that webhooks are signed with, and whose they may be. */
export interface LinearSecret {
  readonly secret: string;
  /** Id of the one workspace it speaks for; undefined for an app's, which speaks for every workspace it is installed in. */
  readonly workspace: string | undefined;
}
export interface LinearWebhooksOptions {
  /** Those in force and those still honoured during a rotation. */
  readonly secrets: readonly LinearSecret[];
  readonly deliveries: {
    /** Resolves once it is on disk; one with a known id is a repeat and changes nothing. */
    store(delivery: Delivery): Promise<"stored" | "repeat">;
  };
  readonly clock: { now(): number };
}
/** A request as the door hands it over; nothing about it has been believed. */
export interface LinearPosted {
  readonly id: string;
  readonly signature: string;
  readonly body: string;
}
/** What became of it. */
export type LinearAccepted =
  | { readonly is: "stored" | "repeat" | "unread"; readonly type: string }
  | { readonly is: "forged" }
  | { readonly is: "stale"; readonly why: string }
  | { readonly is: "malformed"; readonly why: string };
export interface LinearWebhooks {
  accept(posted: LinearPosted): Promise<LinearAccepted>;
}

/** How far the signed stamp of a webhook may be from now, in the past or ahead: as Linear's own SDK has it. */
export const freshnessMs = 60_000;

/** What every webhook says, whatever it is about. The header of its type is not signed, so the body alone counts. */
const envelope = z.object({
  type: z.string().regex(/^\w{1,64}$/u, "its type is malformed"),
  action: z.string().max(64).optional(),
  organizationId: z.string().min(1).max(100).optional(),
  webhookTimestamp: z.number({ error: "it has no webhookTimestamp" }),
});

/**
 * Verifies Linear's webhooks as they arrive and stores them: signature first, then the stamp, which is good for a minute
 * and therefore never looked at again. Throws `RangeError` without a secret, or with an empty one.
 */
export function linearWebhooks({ secrets, deliveries, clock }: LinearWebhooksOptions): LinearWebhooks {
  if (secrets.length === 0 || secrets.some(({ secret }) => secret === ""))
    throw new RangeError("a webhook secret of Linear must not be empty");
  return {
    accept: async ({ id, signature, body }) => {
      if (body === "") return { is: "malformed", why: "the body is empty" };
      const signers = secrets.filter(({ secret }) => signs(secret, body, signature));
      if (signers.length === 0) return { is: "forged" };
      const parsed = envelope.safeParse(jsonOf(body));
      if (!parsed.success)
        return {
          is: "malformed",
          why: parsed.error.issues[0]?.message ?? "the body is no webhook of Linear",
        };
      const { type, action, organizationId, webhookTimestamp } = parsed.data;
      // The secret of one workspace says nothing about another.
      if (!signers.some(({ workspace }) => workspace === undefined || workspace === organizationId))
        return { is: "forged" };
      const now = clock.now();
      const offMs = Math.abs(now - webhookTimestamp);
      if (offMs > freshnessMs) {
        const side = webhookTimestamp < now ? "ago" : "ahead";
        return { is: "stale", why: `it was stamped ${Math.round(offMs / 1000)} seconds ${side}` };
      }
      if (!isReadOfLinear(type)) return { is: "unread", type };
      return {
        is: await deliveries.store({ id, source: "linear", name: type, action, body, receivedAt: now }),
        type,
      };
    },
  };
}

/** Compares in constant time; both sides are digests of one length. */
function signs(secret: string, body: string, signature: string): boolean {
  const own = createHmac("sha256", secret).update(body).digest();
  const given = Buffer.from(signature, "hex");
  return given.length === own.length && timingSafeEqual(given, own);
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
