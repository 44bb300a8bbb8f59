/** The credential exists in the environment of one git process, and nowhere else. */
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { keyOf } from "../../../src/adapters/git/paths.ts";
import { gitTrouble } from "../../../src/adapters/git/trouble.ts";
import { gitRunner } from "../../../src/adapters/git/run.ts";
import { openWorkspace } from "../../../src/adapters/git/git.ts";
import { Trouble } from "../../../src/ports.ts";
import { behind, header, openStage, run, token } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
beforeEach(() => {
  stage.onRequest = async () => "go on";
  stage.onCredential = async () => undefined;
});
afterAll(() => stage.close());

const credential = header.slice("Basic ".length);
const forms = [token, credential];

/** Command lines of every process of this host, with the arguments apart. */
async function commandLines(): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return lines.filter((line) => line !== "").map((line) => line.replaceAll("\0", " "));
}
async function filesWith(secret: string): Promise<string> {
  return run("grep", ["-rlaF", "-e", secret, stage.root]).then(
    ({ stdout }) => stdout,
    () => "",
  );
}

describe("the credential", () => {
  it.skipIf(process.platform !== "linux")("is in no argv and no file while a push is under way", async () => {
    const tree = await stage.space.prepare("push", stage.remote, "hand/push", {});
    await writeFile(join(tree.path, "new.ts"), "x");
    await stage.space.commit(tree, "Add new");
    const seen: string[] = [];
    const inFiles: string[] = [];
    stage.onRequest = async () => {
      seen.push(...(await commandLines()));
      for (const form of forms) inFiles.push(await filesWith(form));
      return "go on";
    };
    expect(await stage.space.publish(tree, stage.remote, "hand/push", undefined)).toMatch(/^[0-9a-f]{40}$/);
    expect(seen.filter((line) => /git.*\bpush\b/.test(line))).not.toEqual([]);
    expect(
      seen.filter((line) => line.includes("git-remote-http") || line.includes("remote-http")),
    ).not.toEqual([]);
    for (const form of forms) expect(seen.filter((line) => line.includes(form))).toEqual([]);
    expect(inFiles.filter((name) => name !== "")).toEqual([]);
    for (const form of forms) expect(await filesWith(form)).toBe("");
  });

  /** A proxy of an agent's, and the configuration that names it. */
  const openProxy = async () => {
    const told: string[] = [];
    const proxy = createServer((request, response) => {
      told.push(`${request.method} ${request.headers.authorization}`);
      response.writeHead(502).end();
    });
    await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
    const line = `proxy = http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const config = [
      "[core]\nbare = true\n[http]",
      `[http "${stage.remote.url}"]`,
      `[remote "${stage.remote.url}"]`,
    ].join(`\n${line}\n`);
    return { told, config: `${config}\n${line}\n`, close: () => proxy.close() };
  };

  it("goes to nobody whom an agent names in the mirror while the token is fetched", async () => {
    const { space, remote } = stage;
    const tree = await space.prepare("proxy", remote, "hand/proxy", {});
    const { mirror, admin } = behind(tree.path);
    const { told, config, close } = await openProxy();
    const evil = join(stage.home, "evil");
    let times = 0;
    let poisoned = [mirror];
    stage.onCredential = async () => {
      times += 1;
      await cp(mirror, evil, { recursive: true });
      await writeFile(join(evil, "config"), config);
      await writeFile(join(mirror, "config"), config);
      for (const place of poisoned) await writeFile(join(place, "commondir"), evil);
    };
    await stage.push("hand/proxy", { "theirs.ts": "x" });
    const head = (await space.takeTheirs(tree, remote)).upon ?? "";
    await writeFile(join(tree.path, "new.ts"), "x");
    const ours = await space.commit(tree, "Add new");
    // Elsewhere it would be noticed and refused: here it comes after the last look.
    poisoned = [mirror, admin];
    expect(await space.publish(tree, remote, "hand/proxy", head)).toBe(ours);
    const git = gitRunner(process.env["PATH"] ?? "", 20_000);
    const said = await git({ in: { mirror, admin, path: tree.path } }, "rev-parse", "--git-common-dir");
    expect(said.trim()).toBe(mirror);
    poisoned = [mirror];
    const from = await stage.push("hand/proxy-2", { "more.ts": "x" });
    await stage.push("main", { "main.ts": "x" });
    const updated = await space.drift.update(remote, "hand/proxy-2", from, "merge");
    if (updated.is !== "updated") throw new Error(updated.is);
    await space.drift.publish(remote, "hand/proxy-2", updated);
    await space.headDiff(remote, await stage.push("hand/proxy-3", { "fresh.ts": "x" }));
    close();
    expect(times).toBeGreaterThan(7);
    expect(told).toEqual([]);
  });

  it("goes to nobody though an agent writes in the mirror all the time", async () => {
    const { space, remote } = stage;
    const { mirror } = behind((await space.prepare("busy", remote, "hand/busy", {})).path);
    const { told, config, close } = await openProxy();
    const write = `const { writeFileSync } = require("node:fs");
      setInterval(() => writeFileSync(${JSON.stringify(join(mirror, "config"))}, ${JSON.stringify(config)}), 1);`;
    const agent = spawn(process.execPath, ["-e", write]);
    for (let round = 0; round < 6; round += 1)
      await space.headDiff(remote, await stage.push(`hand/busy-${round}`, { "a.txt": `${round}` }));
    agent.kill();
    close();
    expect(told).toEqual([]);
  });

  it("is in no error, whatever git repeats of it", () => {
    const said = `fatal: ${header} ${credential} x-access-token:${token} https://u:${token}@host/r.git ${token}`;
    const { message } = gitTrouble("push", said, header);
    for (const form of [header, ...forms]) expect(message).not.toContain(form);
    expect(message).toContain("https://host/r.git");
  });

  it("is named as refused when the forge does not take it, without a word of it", async () => {
    stage.onRequest = async () => "refuse";
    const error: unknown = await stage.space
      .prepare("no", stage.remote, "hand/no", {})
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Trouble);
    expect(error).toMatchObject({ code: "git-auth", permanent: false });
    const told = JSON.stringify([error, String(error), error instanceof Trouble ? error.cause : ""]);
    for (const form of forms) expect(told).not.toContain(form);
  });
});

describe("what git answers", () => {
  const at = {
    repo: { id: 9, owner: "o", name: "gone", installation: 1, defaultBranch: "main", private: true },
  };

  it("tells a missing repository from an unreachable forge", async () => {
    const gone = { ...at, url: stage.remote.url.replace("/r.git", "/gone.git") };
    await expect(stage.space.prepare("x", gone, "hand/x", {})).rejects.toMatchObject({
      code: "git-missing-repo",
      permanent: true,
    });
    const unreachable = { ...at, url: "http://127.0.0.1:1/r.git" };
    await expect(stage.space.prepare("x", unreachable, "hand/x", {})).rejects.toMatchObject({
      code: "git-network",
      permanent: false,
    });
  });

  it("names the default branch that is not there", async () => {
    const remote = { ...stage.remote, repo: { ...stage.remote.repo, defaultBranch: "trunk" } };
    await expect(stage.space.prepare("x", remote, "hand/x", {})).rejects.toMatchObject({
      code: "git-no-default",
      permanent: true,
      message: expect.stringContaining("o/r has no branch trunk"),
    });
  });

  it("names a push that a rule of the repository refused", async () => {
    const hook = join(stage.home, "served", "r.git", "hooks", "pre-receive");
    await mkdir(join(hook, ".."), { recursive: true });
    await writeFile(hook, "#!/bin/sh\necho GH013: rule violations found >&2\nexit 1\n", { mode: 0o755 });
    const tree = await stage.space.prepare("rule", stage.remote, "hand/rule", {});
    await writeFile(join(tree.path, "new.ts"), "x");
    await stage.space.commit(tree, "Add new");
    await expect(stage.space.publish(tree, stage.remote, "hand/rule", undefined)).rejects.toMatchObject({
      code: "git-rejected",
      permanent: true,
      message: expect.stringContaining("GH013"),
    });
    await rm(hook);
  });

  it("says so when git itself is not installed", async () => {
    const space = await openWorkspace({
      root: join(stage.home, "bare-host"),
      credentials: async () => undefined,
      author: { name: "Hand", email: "hand@example.com" },
      searchPath: "/nonexistent",
      limits: { gitMs: 5000, hookMs: 5000 },
    });
    await expect(space.prepare("x", stage.remote, "hand/x", {})).rejects.toMatchObject({
      code: "git-missing",
      permanent: true,
    });
  });
});

describe("places", () => {
  it.each(["--upload-pack=touch x", "a b", "a..b", "a/.b", "-x", "a.lock", "a//b", "", "a~1", "a\nb"])(
    "refuses the branch name %j",
    async (branch) => {
      await expect(stage.space.prepare("name", stage.remote, branch, {})).rejects.toMatchObject({
        code: "git-path",
        permanent: true,
      });
    },
  );

  it("differ for identifiers that only case or punctuation tells apart", () => {
    const keys = ["a#1", "A#1", "a-1", "a_1", "a/1", "../a", "a", "A", ".", "", "ä", "a\u0308"].map((one) =>
      keyOf(one).toLowerCase(),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("give tickets whose names differ in case different worktrees", async () => {
    const one = await stage.space.prepare("Case", stage.remote, "hand/case-1", {});
    const two = await stage.space.prepare("case", stage.remote, "hand/case-2", {});
    expect(one.path.toLowerCase()).not.toBe(two.path.toLowerCase());
  });

  it.each(["trees", "cold", "mirrors", "records", "home"])(
    "that are links are refused: %s",
    async (folder) => {
      const other = await openStage();
      try {
        const outside = join(other.home, "outside");
        await mkdir(outside);
        await symlink(outside, join(other.root, folder));
        const use = async () => {
          const tree = await other.space.prepare("t", other.remote, "hand/t", { afterCreate: "true" });
          await other.space.checkoutCold("t", other.remote, tree.head, "review");
        };
        await expect(use()).rejects.toMatchObject({ code: "git-path", permanent: true });
        expect(await readdir(outside)).toEqual([]);
      } finally {
        await other.close();
      }
    },
  );

  it("outside the root are never opened, however they are spelled", async () => {
    const tree = await stage.space.prepare("spelled", stage.remote, "hand/spelled", {});
    for (const path of [
      "/",
      "/etc",
      `${tree.path}/../../../..`,
      `${tree.path}/src`,
      join(stage.root, "mirrors"),
    ])
      for (const use of [
        () => stage.space.commit({ ...tree, path }, "x"),
        () => stage.space.dropCold({ ...tree, path }),
      ])
        await expect(use()).rejects.toMatchObject({ permanent: true });
  });

  it("inside a worktree may hold a link to the root of the disk, and dropping follows none", async () => {
    const tree = await stage.space.prepare("link", stage.remote, "hand/link", {});
    const outside = join(stage.home, "kept");
    await mkdir(outside);
    await writeFile(join(outside, "file"), "kept");
    await symlink("/", join(tree.path, "slash"));
    await symlink(outside, join(tree.path, "out"));
    await stage.space.commit(tree, "Add links");
    await stage.space.publish(tree, stage.remote, "hand/link", undefined);
    expect(await stage.space.drop("link", stage.remote, {})).toBe("dropped");
    expect(await readFile(join(outside, "file"), "utf8")).toBe("kept");
  });

  it("whose worktree became a link are refused by everything", async () => {
    const tree = await stage.space.prepare("swap", stage.remote, "hand/swap", {});
    await rm(tree.path, { recursive: true });
    await symlink("/", tree.path);
    for (const use of [
      () => stage.space.prepare("swap", stage.remote, "hand/swap", {}),
      () => stage.space.drop("swap", stage.remote, {}),
      () => stage.space.commit(tree, "x"),
      () => stage.space.restore(tree, ["etc"]),
      () => stage.space.written(tree),
    ])
      await expect(use()).rejects.toMatchObject({ code: "git-path", permanent: true });
    await (await stage.reopen()).prune();
    expect(behind(tree.path).admin).toContain(stage.root);
    await rm(tree.path);
  });
});
