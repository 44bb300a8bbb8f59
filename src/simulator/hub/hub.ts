import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getRequestListener } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono, type Context } from "hono";
import { reaches, authorize, tokenOf } from "./auth.ts";
import type { Env, Hub } from "./context.ts";
import { openCourier } from "./courier.ts";
import { branchesOf, seedBare, serveGit } from "./git.ts";
import { prefixHeader } from "./page.ts";
import { afterPush } from "./pushes.ts";
import { appRoutes } from "./routes-app.ts";
import { manifestRoutes, registrationPages, type Registration } from "./routes-manifest.ts";
import { answerLogin, openLogins } from "./routes-oauth.ts";
import { issueRoutes } from "./routes-issues.ts";
import { pullRoutes } from "./routes-pulls.ts";
import { repoRoutes } from "./routes-repos.ts";
import type { Fault, HubState, SimApp, SimRepo } from "./state.ts";

export interface HubOptions {
  /** Folder of the bare repositories; a temporary one when left out. */
  readonly root?: string;
  readonly now?: () => number;
  readonly app?: { readonly id: number; readonly privateKey: string; readonly webhookSecret: string };
}
export interface RunningHub extends Hub {
  /** A repository with one commit of these files; its owner is its admin. */
  seed(spec: {
    readonly owner: string;
    readonly name: string;
    readonly files: Readonly<Record<string, string>>;
  }): Promise<SimRepo>;
  /** The next calls that fit go wrong: refused, dropped, late, or done and not answered. */
  fail(fault: Omit<Fault, "times"> & { readonly times?: number }): void;
  /** Apps that people make on its pages. */
  readonly registration: Registration;
  /** Every route of its API: method and pattern. */
  readonly routes: readonly { readonly method: string; readonly path: string }[];
  /** Makes every installation token worthless now, as when it was revoked. */
  revokeTokens(): void;
  /** Makes every installation token an hour old. */
  expireTokens(): void;
  close(): Promise<void>;
}

/** Permissions and events the simulated installation grants: those of `app.yml`. */
const granted = {
  metadata: "read",
  contents: "write",
  pull_requests: "write",
  issues: "write",
  checks: "write",
  statuses: "read",
  actions: "write",
  merge_queues: "read",
};

/** Starts a forge on a free port of the loopback: REST, GraphQL, webhooks, and git over HTTP on real bare repositories. */
export async function startHub(options: HubOptions = {}): Promise<RunningHub> {
  const root = options.root ?? (await mkdtemp(join(tmpdir(), "hub-")));
  const now = options.now ?? Date.now;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const state: HubState = {
    url,
    repos: [],
    people: new Map(),
    app: appOf(options, now()),
    tokens: new Map(),
    deliveries: [],
    calls: [],
    faults: [],
    next: 1_000,
  };
  const id = (): number => (state.next += 1);
  state.people.set(`${state.app.slug}[bot]`, { login: `${state.app.slug}[bot]`, id: id(), type: "Bot" });
  const api = new Hono<Env>();
  const find = (owner: string, name: string): SimRepo | undefined =>
    state.repos.find((repo) => repo.owner === owner && repo.name === name);
  const hub: Hub = { url, state, root, now, id, repo: find, courier: openCourier({ state, now, id }) };
  const registration: Registration = {
    codes: new Map(),
    taken: new Set(),
    setupUrl: undefined,
    logins: openLogins(),
  };
  mount(api, hub, registration);
  const listener = getRequestListener(api.fetch);
  const pages = getRequestListener(registrationPages(hub, registration).fetch);
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const isPage = /^\/(?:settings|organizations|apps|login)\//.test(request.url ?? "");
    serve(hub, isPage ? pages : listener, request, response).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  });
  return {
    ...hub,
    registration,
    routes: api.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => ({ method, path })),
    seed: async ({ owner, name, files }) => {
      if (!state.people.has(owner)) state.people.set(owner, { login: owner, id: id(), type: "User" });
      const dir = join(root, owner, `${name}.git`);
      await seedBare(dir, "main", files);
      const repo: SimRepo = {
        id: id(),
        owner,
        name,
        defaultBranch: "main",
        dir,
        createdAt: now(),
        pushedAt: now(),
        members: new Map([[owner, "admin"]]),
        threads: new Map(),
        labels: new Map(),
        checkRuns: [],
        statuses: [],
        rules: new Map(),
        queues: new Map(),
        mergeability: "at once",
        allowsAutoMerge: true,
        branches: await branchesOf(dir),
      };
      state.repos.push(repo);
      return repo;
    },
    revokeTokens: () => state.tokens.clear(),
    expireTokens: () => {
      for (const token of state.tokens.values()) token.expiresAt = now();
    },
    fail: (fault) => void state.faults.push({ times: 1, ...fault }),
    close: async () => {
      await hub.courier.close();
      await closeServer(server);
      if (options.root === undefined) await rm(root, { recursive: true, force: true });
    },
  };
}

function appOf(options: HubOptions, createdAt: number): SimApp {
  const privateKey =
    options.app?.privateKey ??
    generateKeyPairSync("rsa", { modulusLength: 2048 })
      .privateKey.export({ type: "pkcs1", format: "pem" })
      .toString();
  return {
    id: options.app?.id ?? 7001,
    slug: "forgehand",
    installation: 5001,
    owner: "acme",
    createdAt,
    privateKey,
    publicKey: createPublicKey(createPrivateKey(privateKey))
      .export({ type: "spki", format: "pem" })
      .toString(),
    webhookSecret: options.app?.webhookSecret ?? randomBytes(16).toString("hex"),
    permissions: granted,
    events: [
      "issues",
      "issue_comment",
      "pull_request",
      "pull_request_review",
      "pull_request_review_comment",
      "check_run",
      "check_suite",
      "status",
      "push",
    ],
  };
}

function mount(api: Hono<Env>, hub: Hub, registration: Registration): void {
  api.use("*", async (context, next) => {
    const { method, path } = context.req;
    const fault = hub.state.faults.find(
      (one) => one.times > 0 && isMeant(one.method, method) && one.path.test(path),
    );
    if (fault !== undefined) fault.times -= 1;
    if (fault?.delayMs !== undefined) await sleep(fault.delayMs);
    if (fault !== undefined && fault.after !== true && fault.status !== "slow") return faulty(context, fault);
    const body: unknown =
      method === "GET" || method === "DELETE" ? undefined : await context.req.json().catch(() => undefined);
    context.set("body", body);
    // The code is all that is asked of whoever turns it into an App.
    if (path.startsWith("/app-manifests/")) {
      await next();
      hub.state.calls.push({ method, path, body, status: context.res.status, permissions: undefined });
      return undefined;
    }
    const ofPerson = await answerLogin(context, hub, registration.logins);
    if (ofPerson !== undefined) return ofPerson;
    const caller = authorize(hub, context.req.header("authorization"), path);
    if (caller === undefined) return context.json({ message: "Bad credentials" }, 401);
    context.set("caller", caller);
    const denied = caller.denies(method, path);
    if (denied) return context.json({ message: "Resource not accessible by integration" }, 403);
    await next();
    if (method !== "GET")
      hub.state.calls.push({
        method,
        path,
        body,
        status: context.res.status,
        permissions: caller.permissions,
      });
    if (fault?.after === true) {
      // A set response would lend its headers to the next.
      context.res = undefined;
      context.res = faulty(context, fault);
    }
    return undefined;
  });
  for (const routes of [appRoutes, repoRoutes, issueRoutes, pullRoutes]) routes(api, hub);
  manifestRoutes(api, hub, registration);
  api.notFound((context) => context.json({ message: "Not Found" }, 404));
  api.onError((error, context) =>
    context.json({ message: `the simulator broke: ${error.stack ?? error.message}` }, 500),
  );
}

const isMeant = (wanted: string | RegExp | undefined, method: string): boolean =>
  wanted === undefined || (typeof wanted === "string" ? wanted === method : wanted.test(method));

/** The answer a fault gives, or none at all. */
function faulty(context: Context<Env>, { status, headers, message }: Fault): Response {
  if (status === "reset") {
    context.env.incoming.socket.destroy();
    return RESPONSE_ALREADY_SENT;
  }
  return context.json({ message: message ?? "a fault, as ordered" }, status as 500, { ...headers });
}

async function serve(
  hub: Hub,
  listener: ReturnType<typeof getRequestListener>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", hub.url);
  const match = /^\/([^/]+)\/([^/]+)\.git\/(.*)$/.exec(url.pathname);
  if (match === null) {
    const prefix = /^\/api\/v3(?=\/)/.exec(url.pathname)?.[0] ?? "";
    request.headers[prefixHeader] = prefix;
    const path = url.pathname.slice(prefix.length).replace(/^\/api\/graphql$/, "/graphql");
    // Clients send the slashes of refs and file paths encoded.
    request.url = (/\/(git|contents)\//.test(path) ? path.replaceAll(/%2F/gi, "/") : path) + url.search;
    await listener(request, response);
    return;
  }
  const [, owner = "", name = ""] = match;
  const repo = hub.repo(owner, name);
  const isWrite =
    url.pathname.endsWith("git-receive-pack") || url.searchParams.get("service") === "git-receive-pack";
  const user = gitUser(hub, repo, request.headers.authorization, isWrite);
  if (typeof user !== "string" || repo === undefined) {
    response.statusCode = typeof user === "string" ? 404 : user;
    if (user === 401) response.setHeader("www-authenticate", 'Basic realm="forge"');
    response.end();
    return;
  }
  const before = new Map(repo.branches);
  const isPush = request.method === "POST" && isWrite;
  await serveGit(hub.root, url.pathname, url.search.slice(1), user, request, response, async () => {
    if (isPush) await afterPush(hub, repo, before, user);
  });
}

/** Who pushes or fetches, or the status that refuses them. */
function gitUser(
  hub: Hub,
  repo: SimRepo | undefined,
  header: string | undefined,
  isWrite: boolean,
): string | number {
  const match = /^Basic (.+)$/i.exec(header ?? "");
  const password =
    match?.[1] === undefined ? undefined : Buffer.from(match[1], "base64").toString("utf8").split(":")[1];
  if (password === undefined) return 401;
  const token = tokenOf(hub, password);
  if (token === undefined) return 401;
  if (repo === undefined || !reaches(token, repo)) return 404;
  const { contents } = token.permissions;
  if (contents === undefined || (isWrite && contents !== "write")) return 403;
  return `${hub.state.app.slug}[bot]`;
}

const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });
