import { createEmulator } from "emulate";
import { openGitHub } from "../../src/adapters/github/app.ts";
import type { ExternalWrite } from "../../src/adapters/github/app.ts";
import { githubHooks } from "../../src/adapters/github/hooks.ts";
import { githubTracker } from "../../src/adapters/github/issues.ts";
import { githubVoice } from "../../src/adapters/github/voice.ts";
import { githubForge } from "../../src/adapters/github/github.ts";
import type { Repo } from "../../src/ports.ts";
import { openFront } from "./front.ts";
import type { Asked, Front } from "./front.ts";
import { restPeople } from "./rest-people.ts";
import type { Ask } from "./rest-people.ts";
import { cast } from "./stage.ts";
import type { Stage } from "./stage.ts";

const appId = 7001;
const installation = 5001;
const permissions = {
  metadata: "read",
  contents: "write",
  pull_requests: "write",
  issues: "write",
  checks: "write",
  statuses: "read",
};

/** The GitHub adapter on the emulator as it comes, with a front that adds what the emulator leaves out of its answers. */
export async function githubStage(): Promise<Stage & { readonly front: Front }> {
  const logins = [...Object.keys(cast), "robot"];
  const emulator = await createEmulator({
    service: "github",
    port: 0,
    seed: {
      tokens: Object.fromEntries(logins.map((login) => [`token-${login}`, { login, scopes: ["repo"] }])),
      github: {
        users: logins.map((login) => ({ login })),
        repos: [{ owner: "ada", name: "shop", auto_init: true, default_branch: "main" }],
        apps: [
          {
            app_id: appId,
            slug: "forgehand",
            name: "forgehand",
            permissions,
            events: ["issues"],
            installations: [
              { installation_id: installation, account: "ada", repository_selection: "all", permissions },
            ],
          },
        ],
      },
    },
  });
  const front = await openFront({ behind: emulator.url, script: missing, correct: owned() });
  const ask: Ask = async (login, method, path, body) => {
    const reply = await fetch(`${emulator.url}${path}`, {
      method,
      headers: { authorization: `token token-${login}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    if (!reply.ok && reply.status !== 404) throw new Error(`${method} ${path}: ${reply.status} ${text}`);
    return reply.status === 404 || text === "" ? undefined : JSON.parse(text);
  };
  const raw = (await ask("ada", "GET", "/repos/ada/shop")) as { readonly id: number };
  const repo: Repo = {
    id: raw.id,
    owner: "ada",
    name: "shop",
    installation,
    defaultBranch: "main",
    private: false,
  };
  const people = restPeople(ask, repo);
  for (const [login, permission] of Object.entries(cast))
    if (login !== "ada") await people.join(login, permission);
  const writes: ExternalWrite[] = [];
  const memory = new Map<string, string>();
  const privateKey = emulator.generatedSecrets.find(
    (secret) => secret.kind === "github.app_private_key",
  )?.value;
  const github = openGitHub({
    appId,
    privateKey: privateKey ?? "",
    apiUrl: front.url,
    userAgent: "forgehand-test",
    clock: { now: () => Date.now() },
    remember: {
      get: async (name) => memory.get(name),
      set: async (name, value) => void memory.set(name, value),
    },
    scrub: (text) => text,
    onWrite: (write) => void writes.push(write),
  });
  const words = ["agent-ready", "needs-spec", "harness-blocked", "auto-merge"];
  return {
    repo,
    forge: githubForge(github),
    tracker: githubTracker(github, () =>
      words.map((name) => ({ label: name, name, color: "ededed", description: name })),
    ),
    voice: githubVoice(github),
    hooks: githubHooks(github),
    people,
    bot: "forgehand[bot]",
    writes,
    front,
    loseNextReply: () => front.loseNextReply(),
    close: async () => {
      await front.close();
      await emulator.close();
    },
  };
}

/** The emulator has no commit statuses: no context ever reported one. */
function missing({ method, path }: Asked) {
  return method === "GET" && /\/commits\/[^/]+\/status(\?|$)/.test(path)
    ? { status: 200, body: { state: "pending", total_count: 0, statuses: [] } }
    : undefined;
}

/** The emulator does not say which App made a check run; the front saw who did. */
function owned(): (asked: Asked, body: unknown) => unknown {
  const ours = new Set<unknown>();
  const sign = (run: { readonly id?: unknown }): unknown =>
    ours.has(run.id) ? { ...run, app: { id: appId } } : run;
  return (asked, body) => {
    if (!asked.path.includes("/check-runs") || typeof body !== "object" || body === null) return body;
    if (asked.method === "POST" && "id" in body) ours.add(body.id);
    return "check_runs" in body && Array.isArray(body.check_runs)
      ? { ...body, check_runs: body.check_runs.map(sign) }
      : sign(body);
  };
}
