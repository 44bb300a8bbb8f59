import { generateKeyPairSync } from "node:crypto";
import { afterEach } from "vitest";
import { openGitHub } from "../../src/adapters/github/app.ts";
import type { ExternalWrite } from "../../src/adapters/github/app.ts";
import type { Repo } from "../../src/ports.ts";
import { openFront } from "./front.ts";
import type { Answer, Asked, Front } from "./front.ts";

export const privateKey = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "pkcs1", format: "pem" },
}).privateKey;

export const repo: Repo = {
  id: 77,
  owner: "acme",
  name: "shop",
  installation: 5,
  defaultBranch: "main",
  private: true,
};
export const head = "a".repeat(40);
export const now = Date.parse("2026-03-01T12:00:00Z");
export const bot = { login: "forgehand[bot]", type: "Bot" };

let fronts: Front[] = [];
afterEach(async () => {
  await Promise.all(fronts.map((front) => front.close()));
  fronts = [];
});

export type Script = Readonly<
  Record<string, Answer | "reset" | ((asked: Asked) => Answer | "reset" | undefined)>
>;

/** A GitHub that answers by script: `METHOD /path` without its query; later lines need no order. */
export async function scripted(script: Script, options: { readonly path?: string } = {}) {
  let minted = 0;
  const writes: ExternalWrite[] = [];
  const said: string[] = [];
  const time = { now };
  const base = options.path ?? "";
  const front = await openFront({
    script: (asked) => {
      const path = asked.path.split("?", 1)[0] ?? "";
      if (base !== "" && !path.startsWith("/api/"))
        return { status: 418, body: { message: `off base: ${path}` } };
      const name = `${asked.method} ${base !== "" && path.startsWith(base) ? path.slice(base.length) : path}`;
      const line = script[name] ?? script["otherwise"];
      const answer = typeof line === "function" ? line(asked) : line;
      if (answer !== undefined) return answer;
      if (name === "POST /app/installations/5/access_tokens") {
        minted++;
        const expires = new Date(time.now + 3_600_000).toISOString();
        return { status: 201, body: { token: `ghs_${minted}`, expires_at: expires } };
      }
      if (name === "GET /app")
        return {
          status: 200,
          body: {
            id: 9,
            slug: "forgehand",
            name: "forgehand",
            events: ["issues"],
            permissions: { issues: "write" },
          },
        };
      return undefined;
    },
  });
  fronts.push(front);
  const memory = new Map<string, string>();
  const github = openGitHub({
    appId: 9,
    privateKey,
    apiUrl: `${front.url}${base}`,
    userAgent: "forgehand-test",
    clock: { now: () => time.now },
    remember: {
      get: async (name) => memory.get(name),
      set: async (name, value) => void memory.set(name, value),
    },
    scrub: (text) => text.replaceAll("hunter2", "[redacted]"),
    onWrite: (write) => void writes.push(write),
    log: (line) => void said.push(line),
  });
  const asks = (method: string, end: string): readonly Asked[] =>
    front.asked.filter(
      (asked) => asked.method === method && asked.path.split("?", 1)[0]?.endsWith(end) === true,
    );
  return { front, github, writes, said, time, memory, asks };
}

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const issue = (fields: object = {}): object => ({
  number: 4,
  title: "t",
  body: "b",
  state: "open",
  labels: [],
  user: { login: "rob", type: "User" },
  html_url: "http://x",
  updated_at: "2026-01-01T00:00:00Z",
  repository_url: "https://api.github.com/repos/acme/shop",
  ...fields,
});
export const pull = (fields: object = {}): object => ({
  number: 3,
  node_id: "PR_3",
  html_url: "http://x",
  state: "open",
  merged: false,
  merge_commit_sha: null,
  draft: false,
  head: { sha: head, ref: "b", repo: { id: 77 } },
  base: { sha: "b".repeat(40), ref: "main" },
  body: "",
  user: bot,
  mergeable: true,
  mergeable_state: "clean",
  auto_merge: null,
  ...fields,
});
