import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyOf } from "../../../src/adapters/git-paths.ts";
import { openWorkspace } from "../../../src/adapters/git.ts";
import type { GitWorkspace } from "../../../src/adapters/git.ts";
import type { Remote } from "../../../src/ports.ts";

const run = promisify(execFile);
const header = `Basic ${Buffer.from("x-access-token:s3cretT0ken").toString("base64")}`;
const searchPath = process.env["PATH"] ?? "";
let home = "";
let remote: Remote;
let space: GitWorkspace;

const server = createServer((request, response) => {
  if (request.headers.authorization !== header) {
    response.writeHead(401, { "www-authenticate": "Basic" }).end();
    return;
  }
  const url = new URL(request.url ?? "/", "http://host");
  const backend = spawn("git", ["http-backend"], {
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
  request.pipe(backend.stdin);
  const parts: Buffer[] = [];
  backend.stdout.on("data", (part: Buffer) => parts.push(part));
  backend.on("close", () => {
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
});

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "workspace-"));
  await mkdir(join(home, "served"));
  const seed = join(home, "seed");
  const git = (...argv: string[]) =>
    run("git", ["-C", seed, "-c", "user.name=a", "-c", "user.email=a@b", ...argv]);
  await run("git", ["init", "-q", "-b", "main", seed]);
  await writeFile(join(seed, "AGENTS.md"), "base\n");
  await writeFile(join(seed, ".gitattributes"), "*.txt filter=evil\n");
  await git("add", "-A");
  await git("commit", "-q", "-m", "seed");
  await run("git", ["clone", "-q", "--bare", seed, join(home, "served", "r.git")]);
  await run("git", ["-C", join(home, "served", "r.git"), "config", "http.receivepack", "true"]);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/r.git`;
  remote = {
    url,
    repo: { id: 7, owner: "o", name: "r", installation: 1, defaultBranch: "main", private: true },
  };
  space = await openWorkspace({
    root: join(home, "root"),
    credentials: async () => ({ header }),
    author: { name: "Hand", email: "hand@example.com" },
    searchPath,
    limits: { gitMs: 20_000, hookMs: 5000 },
  });
});
afterAll(async () => {
  server.close();
  await rm(home, { recursive: true, force: true });
});
const id = (name: string) => name;

describe("the git workspace", () => {
  it("keeps work over a repeated prepare, publishes once and says when the branch moved", async () => {
    const first = await space.prepare(id("a"), remote, "hand/a", {});
    await writeFile(join(first.path, "new.md"), "x");
    const again = await space.prepare(id("a"), remote, "hand/a", {});
    expect(await readFile(join(again.path, "new.md"), "utf8")).toBe("x");
    expect(await space.drop(id("a"), remote, {})).toMatchObject({ is: "kept" });
    const sha = await space.commit(again, "Add new");
    expect(await space.commit({ ...again, head: sha! }, "Nothing")).toBeUndefined();
    expect(await space.drop(id("a"), remote, {})).toMatchObject({ is: "kept" });
    expect(await space.publish(again, remote, "hand/a", undefined)).toBe(sha);
    expect(await space.publish(again, remote, "hand/a", undefined)).toBe(sha);
    await writeFile(join(again.path, "more.md"), "y");
    await space.commit(again, "More");
    expect(await space.publish(again, remote, "hand/a", undefined)).toEqual({ is: "moved", to: sha });
    expect(await space.diff(again)).toContain("+++ b/more.md");
    expect(await space.publish(again, remote, "hand/a", sha)).not.toEqual(sha);
    expect(await space.drop(id("a"), remote, {})).toBe("dropped");
    await expect(
      run("grep", ["-rlF", "-e", header, "-e", "s3cretT0ken", join(home, "root")]),
    ).rejects.toMatchObject({ code: 1 });
  });

  it("prepares two tickets of one repository at once", async () => {
    const trees = await Promise.all(
      ["b", "c"].map((name) => space.prepare(id(name), remote, `hand/${name}`, {})),
    );
    expect(new Set(trees.map((tree) => tree.path)).size).toBe(2);
  });

  it("runs no filter and no hook an agent configured, and commits a link as a link", async () => {
    const tree = await space.prepare(id("d"), remote, "hand/d", {});
    const mirror = (await readFile(join(tree.path, ".git"), "utf8")).slice(8).split("/worktrees/")[0]!;
    const proof = join(home, "proof");
    await writeFile(
      join(mirror, "config"),
      `[core]\n\tfsmonitor = touch ${proof}\n[filter "evil"]\n\tclean = touch ${proof}; cat\n`,
    );
    await mkdir(join(mirror, "hooks"), { recursive: true });
    await writeFile(join(mirror, "hooks", "pre-commit"), `#!/bin/sh\ntouch ${proof}\n`, { mode: 0o755 });
    await writeFile(join(tree.path, "a.txt"), "text");
    await symlink("/", join(tree.path, "out"));
    const sha = await space.commit(tree, "Attack");
    expect(await readlink(join(tree.path, "out"))).toBe("/");
    expect((await run("git", ["--git-dir", mirror, "ls-tree", sha!, "out"])).stdout).toMatch(/^120000 blob/);
    await expect(readFile(proof)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("refuses a worktree whose .git was replaced, and a link in its place", async () => {
    const tree = await space.prepare(id("e"), remote, "hand/e", {});
    await rm(join(tree.path, ".git"));
    await run("git", ["init", "-q", tree.path]);
    await expect(space.commit(tree, "x")).rejects.toMatchObject({ code: "git-tampered" });
    await rm(tree.path, { recursive: true });
    await symlink("/", tree.path);
    await expect(space.prepare(id("e"), remote, "hand/e", {})).rejects.toMatchObject({ code: "git-path" });
    await rm(tree.path);
  });

  it("tells every file written in a cold checkout, and restores files from the base", async () => {
    const tree = await space.prepare(id("f"), remote, "hand/f", {});
    const cold = await space.checkoutCold(id("f"), remote, tree.base, "review");
    expect(await space.written(cold)).toEqual([]);
    await writeFile(join(cold.path, "added"), "1");
    await rm(join(cold.path, "AGENTS.md"));
    expect([...(await space.written(cold))].toSorted()).toEqual(["AGENTS.md", "added"]);
    await space.dropCold(cold);
    await writeFile(join(tree.path, "AGENTS.md"), "poison");
    await mkdir(join(tree.path, ".claude"));
    await writeFile(join(tree.path, ".claude", "x"), "poison");
    await space.restore(tree, ["AGENTS.md", ".claude/"]);
    expect(await readFile(join(tree.path, "AGENTS.md"), "utf8")).toBe("base\n");
    expect(await space.commit(tree, "x")).toBeUndefined();
    await expect(space.restore(tree, ["../x"])).rejects.toMatchObject({ code: "git-path" });
  });

  it("never gives two identifiers one key, nor a key that leaves its folder", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, two) => {
        expect(keyOf(one)).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/);
        expect(keyOf(one) === keyOf(two)).toBe(one === two);
      }),
    );
  });
});
