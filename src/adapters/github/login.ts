/** Logging in with GitHub through the App: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app */
import { z } from "zod";
import { Trouble } from "../../ports.ts";
import type { ForgeLogin } from "../../ports-dashboard-access.ts";
import { webUrlOf } from "./app.ts";

export interface LoginOptions {
  readonly client: { readonly id: string; readonly secret: string };
  readonly apiUrl: string;
  readonly fetch: typeof globalThis.fetch;
}

const Granted = z.object({ access_token: z.string().min(1).max(1_000) });
const Person = z.object({
  id: z.number().int().positive(),
  login: z.string().regex(/^[A-Za-z\d](?:[\w-]{0,99})$/u),
});
/** A person waits before a page. */
const askMs = 10_000;
const what = "GitHub could not say who this is";

/**
 * The token of the person is asked for, used for one question and revoked; it is neither kept nor logged. By hand,
 * since the library that Octokit exchanges codes with sends no PKCE verifier.
 */
export function githubLogin({ client, apiUrl, fetch }: LoginOptions): ForgeLogin {
  const web = webUrlOf(apiUrl);
  const ask = (url: string, init: RequestInit): Promise<Response> => asked(fetch, url, init);
  return {
    consentUrl: ({ state, challenge, redirect }) => {
      const url = new URL(`${web}/login/oauth/authorize`);
      url.search = new URLSearchParams({
        client_id: client.id,
        redirect_uri: redirect,
        state,
        code_challenge: challenge,
        code_challenge_method: "S256",
        // Who has no account does not get one on the way here.
        allow_signup: "false",
      }).toString();
      return url.href;
    },
    personOf: async ({ code, verifier, redirect }) => {
      const answer = await ask(`${web}/login/oauth/access_token`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          client_id: client.id,
          client_secret: client.secret,
          code,
          redirect_uri: redirect,
          code_verifier: verifier,
        }),
      });
      // It says 200 to what it refuses, too.
      const granted = Granted.safeParse(await answer.json().catch(() => undefined));
      if (!granted.success) return "refused";
      const token = granted.data.access_token;
      try {
        const told = await ask(`${apiUrl}/user`, { headers: { authorization: `Bearer ${token}` } });
        const person = Person.safeParse(await told.json().catch(() => undefined));
        if (!person.success) throw new Trouble("github-unavailable", `${what}: status ${told.status}.`);
        return person.data;
      } finally {
        const basic = Buffer.from(`${client.id}:${client.secret}`).toString("base64");
        // It ends by itself within hours where this fails.
        await ask(`${apiUrl}/applications/${encodeURIComponent(client.id)}/token`, {
          method: "DELETE",
          headers: { authorization: `Basic ${basic}`, "content-type": "application/json" },
          body: JSON.stringify({ access_token: token }),
        })
          .then((gone) => gone.body?.cancel())
          .catch(() => undefined);
      }
    },
  };
}

async function asked(
  fetch: typeof globalThis.fetch,
  url: string,
  { headers, ...init }: RequestInit,
): Promise<Response> {
  try {
    const answer = await fetch(url, {
      ...init,
      headers: { accept: "application/json", "user-agent": "forgehand", ...(headers as object) },
      redirect: "error",
      signal: AbortSignal.timeout(askMs),
    });
    if (answer.status < 500) return answer;
    await answer.body?.cancel();
    throw new Trouble("github-unavailable", `${what}: status ${answer.status}.`);
  } catch (error) {
    if (error instanceof Trouble) throw error;
    // The cause may name the address, and never the token: that is in no address.
    throw new Trouble("github-unavailable", `${what}: no answer.`, { cause: error });
  }
}
