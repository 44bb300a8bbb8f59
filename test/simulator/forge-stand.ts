import { execFile } from "node:child_process";
import { createHmac, createSign, timingSafeEqual } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startHub, type HubOptions, type RunningHub } from "../../src/simulator/hub/hub.ts";
import { peopleOn, type People } from "../../src/simulator/hub/people.ts";
import type { SimRepo } from "../../src/simulator/hub/state.ts";

export type Json = Record<string, unknown>;
/** A webhook as it arrived, its signature checked. */
export interface Heard {
  readonly guid: string;
  readonly name: string;
  readonly action: string | undefined;
  readonly body: Json;
}
export interface Reply {
  readonly status: number;
  readonly body: Json;
  readonly list: readonly Json[];
  readonly headers: Headers;
  readonly text: string;
}
/** A forge, its people, an App's view of it and a receiver of its webhooks. */
export interface Stand {
  readonly hub: RunningHub;
  readonly repo: SimRepo;
  readonly people: People;
  /** Resolves when nothing is on its way. */
  heard(): Promise<readonly Heard[]>;
  /** `name.action` of everything heard so far. */
  names(): Promise<readonly string[]>;
  forget(): void;
  /** What the receiver answers from now on. */
  answer(status: number): void;
  jwt(): string;
  token(permissions?: Readonly<Record<string, string>>): Promise<string>;
  /** As the App's installation, below the repository. */
  api(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Reply>;
  ask(credential: string, method: string, path: string, body?: unknown): Promise<Reply>;
  graphql(query: string, variables: Json): Promise<Reply>;
  /** Git over HTTP, in a process of its own. */
  git(...args: readonly string[]): Promise<string>;
  /** The clone URL with a token in it. */
  remote(): Promise<string>;
  readonly dir: string;
  close(): Promise<void>;
}

const run = promisify(execFile);

export async function openStand(options: HubOptions = {}): Promise<Stand> {
  const hub = await startHub(options);
  const repo = await hub.seed({
    owner: "acme",
    name: "web",
    files: { "README.md": "# web\n", "a.txt": "one\ntwo\n" },
  });
  const people = peopleOn(hub, repo);
  people.person("ada", "admin");
  people.person("bob", "write");
  people.person("tri", "triage");
  people.person("eve", "read");
  const dir = await mkdtemp(join(tmpdir(), "stand-"));
  const heard: Heard[] = [];
  let status = 202;
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const raw = Buffer.concat(chunks);
      const wanted = `sha256=${createHmac("sha256", hub.state.app.webhookSecret).update(raw).digest("hex")}`;
      const given = String(request.headers["x-hub-signature-256"]);
      if (given.length !== wanted.length || !timingSafeEqual(Buffer.from(given), Buffer.from(wanted)))
        return void response.writeHead(400).end();
      const body = JSON.parse(raw.toString("utf8")) as Json;
      const action = typeof body["action"] === "string" ? body["action"] : undefined;
      const name = String(request.headers["x-github-event"]);
      heard.push({ guid: String(request.headers["x-github-delivery"]), name, action, body });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  hub.courier.target(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`);
  const jwt = (): string => {
    const now = Math.floor(Date.now() / 1000);
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const text = `${encode({ alg: "RS256", typ: "JWT" })}.${encode({ iat: now - 30, exp: now + 300, iss: hub.state.app.id })}`;
    return `${text}.${createSign("RSA-SHA256").update(text).sign(hub.state.app.privateKey, "base64url")}`;
  };
  const send = async (
    credential: string,
    method: string,
    path: string,
    body?: unknown,
    more = {},
  ): Promise<Reply> => {
    const response = await fetch(`${hub.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${credential}`, "content-type": "application/json", ...more },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    const parsed: unknown = isJson ? JSON.parse(text) : {};
    return {
      status: response.status,
      body: parsed as Json,
      list: Array.isArray(parsed) ? (parsed as Json[]) : [],
      headers: response.headers,
      text,
    };
  };
  const token = async (permissions?: Readonly<Record<string, string>>): Promise<string> => {
    const asked = permissions === undefined ? {} : { permissions };
    const path = `/app/installations/${hub.state.app.installation}/access_tokens`;
    const { body } = await send(jwt(), "POST", path, { ...asked, repository_ids: [repo.id] });
    return String(body["token"]);
  };
  let usual = await token();
  const settled = async (): Promise<readonly Heard[]> => {
    await hub.courier.idle();
    return heard;
  };
  return {
    hub,
    repo,
    people,
    dir,
    jwt,
    token,
    heard: settled,
    names: async () =>
      (await settled()).map(({ name, action }) => (action === undefined ? name : `${name}.${action}`)),
    forget: () => void heard.splice(0),
    answer: (next) => (status = next),
    ask: send,
    api: (method, path, body, headers) => send(usual, method, `/repos/acme/web${path}`, body, headers),
    graphql: (query, variables) => send(usual, "POST", "/api/graphql", { query, variables }),
    git: async (...args) => {
      const env = {
        PATH: process.env["PATH"] ?? "",
        HOME: dir,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_TERMINAL_PROMPT: "0",
        GIT_AUTHOR_NAME: "builder",
        GIT_AUTHOR_EMAIL: "builder@example.com",
        GIT_COMMITTER_NAME: "builder",
        GIT_COMMITTER_EMAIL: "builder@example.com",
      };
      return (await run("git", [...args], { cwd: dir, env })).stdout.trim();
    },
    remote: async () => {
      usual = await token();
      return hub.url.replace("://", `://x-access-token:${usual}@`) + "/acme/web.git";
    },
    close: async () => {
      hub.courier.target(undefined);
      await hub.close();
      receiver.closeAllConnections();
      await new Promise<void>((resolve) => void receiver.close(() => resolve()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}
