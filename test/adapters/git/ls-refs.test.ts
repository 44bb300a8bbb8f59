/** Where a remote's branches are: in one request where it speaks the protocol, by git where it does not. */
import { createServer, request as send, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from "vitest";
import { refsIn, remoteRefs } from "../../../src/adapters/git/ls-refs.ts";
import { gitRunner } from "../../../src/adapters/git/run.ts";
import { Trouble } from "../../../src/ports.ts";
import { header, openStage, run } from "./stage.ts";
import type { Stage } from "./stage.ts";

const packet = (said: string): string =>
  `${(Buffer.byteLength(said) + 4).toString(16).padStart(4, "0")}${said}`;
const one = "1".repeat(40);
const two = "2".repeat(40);

describe("an answer", () => {
  test("is read packet by packet, up to the flush packet", () => {
    const answer = `${packet(`${one} refs/heads/main\n`)}${packet(`${two} refs/heads/hänsel`)}0000`;
    expect(refsIn(Buffer.from(answer))).toEqual(
      new Map([
        ["refs/heads/main", one],
        ["refs/heads/hänsel", two],
      ]),
    );
    expect(refsIn(Buffer.from("0000"))).toEqual(new Map());
  });

  test.each([
    ["nothing", ""],
    ["no flush packet", packet(`${one} refs/heads/main\n`)],
    ["more after the flush packet", "00000000"],
    ["an error", `${packet("ERR access denied\n")}0000`],
    ["a delimiter", `0001${packet(`${one} refs/heads/main\n`)}0000`],
    ["an attribute that nobody asked for", `${packet(`${one} HEAD symref-target:refs/heads/main\n`)}0000`],
    ["an object name of another kind", `${packet(`${"1".repeat(64)} refs/heads/main\n`)}0000`],
    ["a length that is none", "00g0"],
    ["a length longer than the answer", `0fff${one} refs/heads/main\n0000`],
    ["a length shorter than its digits", "0003"],
    ["a page", "<!doctype html><title>Sign in</title>"],
  ])("of %s is none", (_, answer) => {
    expect(refsIn(Buffer.from(answer))).toBeUndefined();
  });

  test("cut off anywhere is none, and no bytes make it fail", () => {
    const whole = Buffer.from(`${packet(`${one} refs/heads/main\n`)}${packet(`${two} refs/heads/a\n`)}0000`);
    for (let end = 0; end < whole.length; end += 1) expect(refsIn(whole.subarray(0, end))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        refsIn(Buffer.from(bytes));
      }),
    );
  });
});

describe("a remote", () => {
  let stage: Stage;
  let tip = "";
  beforeAll(async () => {
    stage = await openStage();
    tip = await stage.push("main", {});
    await stage.push("main-2", {});
    await stage.push("other/main", {});
  });
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });
  afterAll(() => stage.close());

  const searchPath = process.env["PATH"] ?? "";
  const git = gitRunner(searchPath, 20_000);
  const ask = (url: string, ...names: string[]) =>
    remoteRefs(
      { git, fetch: globalThis.fetch },
      { in: { mirror: join(stage.home, "served", "r.git") }, network: { url, header } },
      names,
    );
  /** Another forge at an address of its own. */
  const forge = async (serve: RequestListener): Promise<string> => {
    const server = createServer(serve);
    await new Promise<void>((done) => server.listen(0, "0.0.0.0", done));
    closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/r.git`;
  };

  it("says in one request where the named branches are, and nothing of others", async () => {
    const before = stage.asked.length;
    const found = await ask(stage.remote.url, "refs/heads/main", "refs/heads/nowhere");
    expect(found).toEqual(new Map([["refs/heads/main", tip]]));
    expect(stage.asked.slice(before)).toEqual(["POST /r.git/git-upload-pack"]);
  });

  it("says the same by way of git", async () => {
    const path = `file://${join(stage.home, "served", "r.git")}`;
    expect(await ask(path, "refs/heads/main", "refs/heads/nowhere")).toEqual(
      new Map([["refs/heads/main", tip]]),
    );
  });

  const result = { "content-type": "application/x-git-upload-pack-result" };
  const odd: Record<string, (response: ServerResponse) => unknown> = {
    "is told to look elsewhere": (response) =>
      response.writeHead(307, { location: `${stage.remote.url}/git-upload-pack` }).end(),
    "knows an older protocol alone": (response) => response.writeHead(400).end("expected 'want'"),
    "answers with a page": (response) => response.writeHead(200, { "content-type": "text/html" }).end("0000"),
    "answers something else": (response) => response.writeHead(200, result).end(packet("ERR\n")),
    "fails with an answer": (response) => response.writeHead(503, result).end("0000"),
    "says nothing": () => undefined,
    "hangs up": (response) => response.destroy(),
  };
  it.each(Object.entries(odd))("that %s is asked by git", async (_, answer) => {
    const asked: string[] = [];
    const url = await forge((request, response) => {
      const agent = request.headers["user-agent"] ?? "";
      asked.push(`${request.method} ${agent.split("/")[1]?.replace(/^\d.*/, "git")}`);
      if (agent === "git/forgehand") answer(response);
      else passOn(request, response);
    });
    expect(await ask(url, "refs/heads/main")).toEqual(new Map([["refs/heads/main", tip]]));
    expect(asked).toEqual(["POST forgehand", "GET git", "POST git"]);
  });
  const passOn: RequestListener = (request, response) => {
    const { method, headers } = request;
    const onward = send(new URL(request.url ?? "", stage.remote.url), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  };

  it("whose objects have longer names is asked by git", async () => {
    const bare = join(stage.home, "served", "long.git");
    await run("git", ["init", "-q", "--bare", "--object-format=sha256", "-b", "main", bare]);
    const tree = (
      await run("git", ["-C", bare, "hash-object", "-t", "tree", "-w", "/dev/null"])
    ).stdout.trim();
    const identity = ["-c", "user.name=ada", "-c", "user.email=a@b"];
    const { stdout } = await run("git", ["-C", bare, ...identity, "commit-tree", "-m", "Begin", tree]);
    await run("git", ["-C", bare, "update-ref", "refs/heads/main", stdout.trim()]);
    expect(await ask(stage.remote.url.replace("r.git", "long.git"), "refs/heads/main")).toEqual(
      new Map([["refs/heads/main", stdout.trim()]]),
    );
  });

  it("that refuses is told of in git's words", async () => {
    stage.onRequest = async () => "refuse";
    const error: unknown = await ask(stage.remote.url, "refs/heads/main").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Trouble);
    expect(error).toMatchObject({ code: "git-auth" });
    stage.onRequest = async () => "go on";
  });

  it("that never ends is not heard to the end", async () => {
    let written = 0;
    const url = await forge((request, response) => {
      if (request.headers["user-agent"] !== "git/forgehand") return passOn(request, response);
      const more = packet(`${one} refs/heads/main\n`).repeat(1_000);
      response.writeHead(200, result);
      const write = (): void => {
        if (response.destroyed) return;
        written += more.length;
        if (response.write(more)) setImmediate(write);
        else response.once("drain", write);
      };
      write();
    });
    expect(await ask(url, "refs/heads/main")).toEqual(new Map([["refs/heads/main", tip]]));
    // What is read ahead lies between, too.
    expect(written).toBeLessThan(16 * 1024 * 1024);
  });

  it("is asked so by a workspace, where it begins and where it looks once more", async () => {
    const before = stage.asked.length;
    const tree = await stage.space.prepare("t", stage.remote, "hand/t", {});
    expect(stage.asked[before]).toBe("POST /r.git/git-upload-pack");
    const theirs = await stage.push("hand/t", { "theirs.txt": "1\n" });
    const at = stage.asked.length;
    const answer = await stage.space.publish(tree, stage.remote, "hand/t", undefined);
    expect(answer).toEqual({ is: "moved", to: theirs });
    expect(stage.asked.slice(at)).toContain("POST /r.git/git-upload-pack");
    expect(stage.asked.slice(at)).not.toContain("GET /r.git/info/refs?service=git-upload-pack");
  });

  it("that names another forge is not followed with the credential", async () => {
    const told: (string | undefined)[] = [];
    const evil = await forge((request, response) => {
      told.push(request.headers.authorization);
      passOn(request, response);
    });
    for (const status of [301, 302, 303, 307, 308]) {
      const url = await forge((request, response) => {
        const location = new URL(request.url ?? "", evil.replace("127.0.0.1", "127.0.0.2")).href;
        response.writeHead(status, { location }).end();
      });
      await expect(ask(url, "refs/heads/main")).rejects.toMatchObject({
        code: "git-elsewhere",
        permanent: false,
      });
    }
    expect(told).toEqual([]);
  });
});
