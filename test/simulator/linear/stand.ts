import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { LinearClient } from "@linear/sdk";
import { LinearWebhookClient } from "@linear/sdk/webhooks";
import type { SimApp, SimInstall } from "../../../src/simulator/linear/context.ts";
import { startLinear, type LinearOptions, type RunningLinear } from "../../../src/simulator/linear/linear.ts";
import { personOn, type Person } from "../../../src/simulator/linear/people.ts";
import type { SimOrganization, SimTeam } from "../../../src/simulator/linear/world.ts";
import { virtualClock, type VirtualClock } from "../../../src/simulator/virtual-clock.ts";

export type Json = Record<string, unknown>;
/** A webhook as it arrived, its signature verified by the SDK. */
export interface Heard {
  readonly id: string;
  readonly event: string;
  readonly payload: Json & { readonly type: string; readonly action: string; readonly data?: Json };
}
/** A Linear with one workspace, one team, an admin, a member, an installed app and a receiver of its webhooks. */
export interface Stand {
  readonly linear: RunningLinear;
  readonly clock: VirtualClock;
  readonly acme: SimOrganization;
  readonly eng: SimTeam;
  readonly ada: Person;
  readonly bob: Person;
  readonly app: SimApp;
  readonly install: SimInstall;
  readonly accessToken: string;
  /** The SDK as the installed app. */
  readonly client: LinearClient;
  /** The SDK with another token, or a personal key. */
  as(credential: { readonly accessToken: string } | { readonly apiKey: string }): LinearClient;
  /** Resolves when nothing is on its way. */
  heard(): Promise<readonly Heard[]>;
  /** `type.action` of everything heard so far. */
  names(): Promise<readonly string[]>;
  /** Forgets what was heard, and what is on its way. */
  forget(): Promise<void>;
  /** What the receiver answers from now on. */
  answer(status: number): void;
  close(): Promise<void>;
}

export const everyScope = ["read", "write", "app:assignable", "app:mentionable"];

export async function stand(options: Omit<LinearOptions, "clock" | "stamp"> = {}): Promise<Stand> {
  const clock = virtualClock(Date.now());
  // The SDK holds the stamp against real time.
  const linear = await startLinear({ ...options, clock, stamp: () => Date.now() });
  const acme = linear.workspace({ name: "Acme" });
  const ada = personOn(linear, linear.user(acme, { name: "Ada", admin: true, gitHubUserId: "1" }));
  const bob = personOn(linear, linear.user(acme, { name: "Bob" }));
  const eng = linear.team(acme, { key: "ENG", name: "Engineering", members: [ada.user, bob.user] });
  const app = linear.app({ name: "Forgehand", home: acme, redirectUris: ["http://127.0.0.1/callback"] });
  const { install, accessToken } = ada.grant(app, { scopes: everyScope });

  const arrived: Heard[] = [];
  let status = 200;
  const verifier = new LinearWebhookClient(app.webhook.secret);
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { headers } = request;
      try {
        const payload = verifier.parseData(Buffer.concat(chunks), String(headers["linear-signature"]));
        arrived.push({
          id: String(headers["linear-delivery"]),
          event: String(headers["linear-event"]),
          payload: payload as never,
        });
        response.statusCode = status;
        response.end();
      } catch (error) {
        // A wrong signature or an old stamp.
        response.statusCode = 400;
        response.end(String(error));
      }
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  app.webhook.url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/webhooks/linear`;

  const heard = async (): Promise<readonly Heard[]> => {
    await linear.courier.idle();
    return arrived;
  };
  const as: Stand["as"] = (credential) => new LinearClient({ ...credential, apiUrl: linear.apiUrl });
  return {
    linear,
    clock,
    acme,
    eng,
    ada,
    bob,
    app,
    install,
    accessToken,
    client: as({ accessToken }),
    as,
    heard,
    names: async () => (await heard()).map(({ payload }) => `${payload.type}.${payload.action}`),
    forget: async () => {
      await heard();
      arrived.splice(0);
    },
    answer: (next) => void (status = next),
    close: async () => {
      await linear.close();
      receiver.closeAllConnections();
      await new Promise((resolve) => receiver.close(resolve));
    },
  };
}

/** What a call was refused with: the SDK's type, its status and first message. */
export async function refusal(
  call: () => PromiseLike<unknown>,
): Promise<{ readonly type: string; readonly status: number | undefined; readonly message: string }> {
  try {
    await call();
  } catch (error) {
    const { type, status, message } = error as { type: string; status?: number; message: string };
    return { type, status, message };
  }
  throw new Error("it was not refused");
}
