/** What the remote said beforehand counts once, for whom it was asked, and not for long. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openForeseen, type Tips } from "../../../src/adapters/git/foresee.ts";
import { behind, openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

describe("one answer", () => {
  const remote = {
    url: "http://forge/r.git",
    repo: { id: 7, owner: "o", name: "r", installation: 1, defaultBranch: "main", private: true },
  };
  const said: Tips = new Map([["refs/heads/main", "a".repeat(40)]]);
  let now = 0;
  const asked = (look: () => Promise<Tips> = async () => said) => {
    now = 0;
    const foreseen = openForeseen(() => now);
    foreseen.ask("m", remote, "hand/1-", look);
    return foreseen;
  };

  it("is taken once, and another can be asked for", async () => {
    const foreseen = asked();
    expect(await foreseen.take("m", remote, "hand/1-x")).toBe(said);
    expect(await foreseen.take("m", remote, "hand/1-x")).toBeUndefined();
    foreseen.ask("m", remote, "hand/2-", async () => said);
    expect(await foreseen.take("m", remote, "hand/2-y")).toBe(said);
  });

  it("is one person's even while it is on its way", async () => {
    const foreseen = asked();
    const both = await Promise.all([1, 2].map(() => foreseen.take("m", remote, "hand/1-x")));
    expect(both).toEqual([said, undefined]);
  });

  it.each([
    ["another mirror", "n", remote, "hand/1-x"],
    ["another branch", "m", remote, "hand/2-x"],
    ["another address", "m", { ...remote, url: "http://elsewhere/r.git" }, "hand/1-x"],
    [
      "another default branch",
      "m",
      { ...remote, repo: { ...remote.repo, defaultBranch: "trunk" } },
      "hand/1-x",
    ],
  ])("is none for %s", async (_, mirror, other, branch) => {
    expect(await asked().take(mirror, other, branch)).toBeUndefined();
  });

  it("is none after two seconds, and then can be asked for again", async () => {
    const foreseen = asked();
    now = 2_001;
    expect(await foreseen.take("m", remote, "hand/1-x")).toBeUndefined();
    foreseen.ask("m", remote, "hand/1-", async () => said);
    expect(await foreseen.take("m", remote, "hand/1-x")).toBe(said);
  });

  it("waits for whom it was asked for: many who come at once do not all ask", async () => {
    const foreseen = asked();
    let asks = 0;
    foreseen.ask("m", remote, "hand/2-", async () => ((asks += 1), said));
    expect(asks).toBe(0);
    expect(await foreseen.take("m", remote, "hand/2-x")).toBeUndefined();
  });

  it("that was forgotten is none, on its way or not", async () => {
    const foreseen = asked();
    foreseen.forget("m");
    expect(await foreseen.take("m", remote, "hand/1-x")).toBeUndefined();
    foreseen.ask("m", remote, "hand/1-", async () => said);
    const taken = foreseen.take("m", remote, "hand/1-x");
    foreseen.forget("m");
    expect(await taken).toBeUndefined();
  });

  it("that failed is none", async () => {
    const foreseen = asked(async () => await Promise.reject(new Error("refused")));
    expect(await foreseen.take("m", remote, "hand/1-x")).toBeUndefined();
  });
});

describe("a workspace that was told to expect work", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(() => stage.close());

  const begin = (ticket: string, branch: string) => stage.space.prepare(ticket, stage.remote, branch, {});
  /** How many times the remote was asked for its branches meanwhile. */
  const asksDuring = async (work: () => Promise<unknown>): Promise<number> => {
    const before = stage.asked.length;
    await work();
    return stage.asked.slice(before).filter((one) => one.startsWith("GET /r.git/info/refs")).length;
  };

  it("asks nobody before it has a mirror", async () => {
    expect(await asksDuring(async () => stage.space.foresight.expect(stage.remote, "hand/0-"))).toBe(0);
    await begin("0", "hand/0-x");
  });

  it("asks once for both, and begins at what the remote said", async () => {
    const tip = await stage.push("hand/1-x", { "one.txt": "1\n" });
    let head = "";
    const asks = await asksDuring(async () => {
      stage.space.foresight.expect(stage.remote, "hand/1-");
      ({ head } = await begin("1", "hand/1-x"));
    });
    expect(head).toBe(tip);
    // The branch is new here, so it is fetched.
    expect(asks).toBe(2);
    const again = await asksDuring(async () => {
      stage.space.foresight.expect(stage.remote, "hand/1-");
      await begin("1", "hand/1-x");
    });
    expect(again).toBe(1);
  });

  it("asks anew once it has pushed, and once it is told to", async () => {
    const tree = await begin("2", "hand/2-x");
    await writeFile(join(tree.path, "two.txt"), "2\n");
    await stage.space.commit(tree, "Two");
    stage.space.foresight.expect(stage.remote, "hand/2-");
    await stage.space.publish(tree, stage.remote, "hand/2-x", undefined);
    expect((await begin("2", "hand/2-x")).seen?.branch).toBeDefined();
    stage.space.foresight.expect(stage.remote, "hand/2-");
    stage.space.foresight.forget(stage.remote);
    const theirs = await stage.push("hand/2-x", { "three.txt": "3\n" });
    expect((await begin("2", "hand/2-x")).head).toBe(theirs);
  });

  it("says of a remote that fails what it would have said without", async () => {
    stage.onRequest = async () => "refuse";
    stage.space.foresight.expect(stage.remote, "hand/3-");
    await expect(begin("3", "hand/3-x")).rejects.toMatchObject({ code: "git-auth" });
    stage.onRequest = async () => "go on";
  });

  it("gives its credential to nobody whom an agent wrote into the mirror", async () => {
    const tree = await begin("4", "hand/4-x");
    const { mirror } = behind(tree.path);
    const evil = stage.remote.url.replace("r.git", "evil.git");
    await writeFile(join(mirror, "config"), `[url "${evil}"]\n\tinsteadOf = ${stage.remote.url}\n`);
    stage.space.foresight.expect(stage.remote, "hand/4-");
    await begin("4", "hand/4-x");
    expect(stage.asked.filter((one) => one.includes("evil"))).toEqual([]);
  });
});
