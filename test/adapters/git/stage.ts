import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { openWorkspace } from "../../../src/adapters/git/git.ts";
import type { GitWorkspace } from "../../../src/adapters/git/git.ts";
import type { WorkspaceOptions } from "../../../src/adapters/git/yard.ts";
import type { Remote } from "../../../src/ports.ts";

export const run = promisify(execFile);
export const token = "s3cretT0kenOfTheStage";
export const header = `Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
const searchPath = process.env["PATH"] ?? "";

/** A remote served over HTTP by git itself, and a workspace on it. */
export interface Stage {
  readonly home: string;
  readonly root: string;
  readonly remote: Remote;
  readonly space: GitWorkspace;
  readonly warnings: readonly string[];
  /** Requests served so far, as `METHOD path?query`. */
  readonly asked: readonly string[];
  /** Runs before each request is served. */
  onRequest: (request: IncomingMessage) => Promise<"go on" | "refuse">;
  /** Runs before each credential is handed out. */
  onCredential: () => Promise<void>;
  /** A second process on the same root. */
  reopen(options?: Partial<WorkspaceOptions>): Promise<GitWorkspace>;
  /** Runs git where the remote lives. */
  served(...argv: string[]): Promise<string>;
  /** Somebody else commits these files on this branch of the remote, from its tip or from main. */
  push(branch: string, files: Readonly<Record<string, string>>): Promise<string>;
  close(): Promise<void>;
}

/** Files of the remote's first commit. */
export const seed = {
  "AGENTS.md": "base\n",
  "src/app.ts": "export const one = 1;\n",
  ".gitignore": "dist/\n",
};

export async function openStage(): Promise<Stage> {
  const home = await realpath(await mkdtemp(join(tmpdir(), "workspace-")));
  const bare = join(home, "served", "r.git");
  const root = join(home, "root");
  const asked: string[] = [];
  const warnings: string[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    asked.push(`${request.method} ${request.url}`);
    const answer = await stage.onRequest(request);
    if (request.headers.authorization !== header || answer === "refuse")
      response.writeHead(401, { "www-authenticate": "Basic" }).end();
    else backend(home, request, response);
  };
  const server = createServer((request, response) => void serve(request, response));
  await mkdir(dirname(bare), { recursive: true });
  await run("git", ["init", "-q", "--bare", "-b", "main", bare]);
  await run("git", ["-C", bare, "config", "http.receivepack", "true"]);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/r.git`;
  const remote = {
    url,
    repo: { id: 7, owner: "o", name: "r", installation: 1, defaultBranch: "main", private: true },
  };
  const reopen: Stage["reopen"] = (options = {}) =>
    openWorkspace({
      root,
      credentials: async () => (await stage.onCredential(), { header }),
      author: { name: "Hand", email: "hand@example.com" },
      searchPath,
      fetch: globalThis.fetch,
      limits: { gitMs: 20_000, hookMs: 5_000 },
      warn: (message) => warnings.push(message),
      ...options,
    });
  const served = async (...argv: string[]) => (await run("git", ["-C", bare, ...argv])).stdout.trim();
  const desk = join(home, "desk");
  await run("git", ["init", "-q", "-b", "main", desk]);
  const atDesk = (...argv: string[]) =>
    run("git", ["-C", desk, "-c", "user.name=ada", "-c", "user.email=a@b", ...argv]);
  const push: Stage["push"] = async (branch, files) => {
    await atDesk("fetch", "-q", bare, "+refs/heads/*:refs/theirs/*", "--prune");
    const { stdout } = await atDesk("for-each-ref", "--format=%(refname)", "refs/theirs");
    const from = [`refs/theirs/${branch}`, "refs/theirs/main"].find((ref) =>
      stdout.split("\n").includes(ref),
    );
    if (from !== undefined) await atDesk("checkout", "-q", "-f", "--detach", from);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(desk, path)), { recursive: true });
      await writeFile(join(desk, path), text);
    }
    await atDesk("add", "-A", "-f");
    await atDesk("commit", "-q", "--allow-empty", "-m", `Change ${branch}`);
    await atDesk("push", "-q", bare, `HEAD:refs/heads/${branch}`);
    return (await atDesk("rev-parse", "HEAD")).stdout.trim();
  };
  const stage: Stage = {
    home,
    root,
    remote,
    space: await reopen(),
    warnings,
    asked,
    onRequest: async () => "go on",
    onCredential: async () => undefined,
    reopen,
    served,
    push,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await run("chmod", ["-R", "u+rwX", home]);
      await rm(home, { recursive: true, force: true });
    },
  };
  await push("main", seed);
  return stage;
}

function backend(home: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://host");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: searchPath,
      HOME: home,
      GIT_PROJECT_ROOT: join(home, "served"),
      GIT_HTTP_EXPORT_ALL: "1",
      REMOTE_USER: "u",
      REQUEST_METHOD: request.method,
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      CONTENT_LENGTH: request.headers["content-length"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
    },
  });
  request.pipe(child.stdin);
  const parts: Buffer[] = [];
  child.stdout.on("data", (part: Buffer) => parts.push(part));
  child.on("close", () => {
    const all = Buffer.concat(parts);
    const end = all.indexOf("\r\n\r\n");
    let status = 200;
    for (const line of all.subarray(0, end).toString().split("\r\n")) {
      const [name = "", ...rest] = line.split(": ");
      if (name === "Status") status = Number.parseInt(rest.join(": "), 10);
      else response.setHeader(name, rest.join(": "));
    }
    response.writeHead(status).end(all.subarray(end + 4));
  });
}

/** The git directories behind a worktree. */
export function behind(path: string): { readonly mirror: string; readonly admin: string } {
  const [root = "", rest = ""] = path.split(/\/(?:trees|cold)\//);
  const [repo = "", key = ""] = rest.split("/");
  const mirror = join(root, "mirrors", repo);
  return { mirror, admin: join(mirror, "worktrees", key) };
}

/** Runs git in a worktree as an agent would. */
export async function asAgent(path: string, ...argv: string[]): Promise<string> {
  const who = ["-c", "user.name=agent", "-c", "user.email=agent@b"];
  return (await run("git", ["-C", path, ...who, ...argv])).stdout.trim();
}
