/** A ticket is built on the reviewed head of the one it depends on, follows it, and is merged after it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { explain } from "../../src/cli/explain.ts";
import { mergeByHand } from "../certificate/merged.ts";
import { openWorld, pass, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const config =
  "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\ndependencies: { stack: true }\n";
const idOf = (issue: number): string => `github:${world.repo.id}#${issue}`;
const stored = async (issue: number) => {
  const found = await world.forgehand.store.load(idOf(issue));
  if (found === undefined) throw new Error(`#${issue} is not known`);
  return found;
};
const pullOf = async (issue: number) => {
  const { pull } = world.people.thread(await world.pullOf(issue));
  if (pull === undefined) throw new Error(`#${issue} has no pull request`);
  return pull;
};
const linesOf = (issue: number) => world.forgehand.store.linesOf(idOf(issue));
const updatesOf = async (issue: number) =>
  (await linesOf(issue)).flatMap(({ event }) =>
    event.type === "head.moved" && event.update !== undefined ? [event.update] : [],
  );
const told = async (issue: number): Promise<string> =>
  (await explain(idOf(issue), { database: join(world.dir, "data", "forgehand.db") })).text;
const workpadOf = (issue: number): string =>
  world.people.thread(issue).comments.find(({ body }) => body.includes("## forgehand workpad"))?.body ?? "";
const gateOf = (head: string) =>
  world.repo.checkRuns.findLast((run) => run.head === head && run.name === "forgehand / gate");
const seenBy = (name: string): string => {
  const { prompt } = JSON.parse(readFileSync(join(world.dir, name), "utf8")) as { readonly prompt: string };
  return prompt;
};
/** Each ticket writes a file of its own; whoever stands on another finds that one's. */
const wrote = (name: string, needs?: string) => ({
  role: "build",
  prompt: `Write src/${name}.txt.`,
  ...(needs === undefined ? {} : { file: { path: `src/${needs}.txt`, contains: needs } }),
  steps: [
    usage,
    { write: { path: `src/${name}.txt`, text: `${name}\n` } },
    { done: `wrote src/${name}.txt` },
  ],
});
const scenes = [wrote("first"), wrote("second", "first"), wrote("third", "second")];

function open(name: string, dependsOn?: number): number {
  const { people } = world;
  const body = `Write src/${name}.txt.${dependsOn === undefined ? "" : `\n\nDepends on #${dependsOn}`}`;
  const issue = people.openIssue({ by: "bob", title: `Say ${name}`, body });
  people.label(issue, "agent-ready", "bob");
  return issue;
}
/** Two tickets in review, one on the other. */
async function stacked(more: Parameters<typeof openWorld>[0] = {}) {
  world = await openWorld({ config, scenes, ...more });
  const first = open("first");
  await world.untilState(first, "In Review");
  const second = open("second", first);
  await world.untilState(second, "In Review");
  await world.settled();
  return { first, second };
}

test("it starts on the reviewed head, is reviewed for its own change alone, and is merged after it, reviewed and approved anew", async () => {
  const { first, second } = await stacked();
  const { people } = world;
  const below = await pullOf(first);
  const above = await pullOf(second);
  expect(above).toMatchObject({ baseRef: below.headRef, draft: true });
  expect((await stored(second)).ticket.upon).toEqual({
    ticket: idOf(first),
    ref: `acme/web#${first}`,
    head: below.head,
  });
  const sentence = `Waits for acme/web#${first}, which it is stacked on. Next: once that is merged`;
  expect(await told(second)).toContain(sentence);
  expect(workpadOf(second)).toContain(sentence);
  expect(workpadOf(second)).toContain(`stacked on acme/web#${first}`);
  expect(gateOf(above.head)).toMatchObject({
    conclusion: null,
    output: {
      title: expect.stringContaining(`Reviewed: waits for acme/web#${first}, which it is stacked on`),
    },
  });

  // Whoever approves it now approves a head that is not merged.
  const early = above.head;
  await people.approve(await world.pullOf(second), "bob");
  await world.untilState(second, "Merging");
  await world.settled();
  expect(above.merged).toBeUndefined();
  expect(await told(second)).toContain(sentence);

  const review = join(world.dir, "review.json");
  world.scenes([
    ...scenes,
    { role: "review", prompt: "Write src/second.txt.", steps: [usage, { echo: review }, { answer: pass }] },
  ]);
  await people.approve(await world.pullOf(first), "bob");
  await world.untilState(first, "Done");
  await world.until("carried over", () => above.head !== early);
  await world.untilState(second, "In Review");
  await world.settled();
  expect(above).toMatchObject({ baseRef: "main", draft: false });
  expect(world.people.thread(await world.pullOf(second)).state).toBe("open");
  const [update, ...others] = await updatesOf(second);
  expect(others).toEqual([]);
  expect(update).toMatchObject({ from: early, oldBase: below.head, how: "rebase", unchanged: true });
  expect(update?.upon).toBeUndefined();
  expect(update?.base).toBe(world.repo.branches.get("main"));
  expect((await stored(second)).ticket).toMatchObject({ reviewed: above.head });
  expect((await stored(second)).ticket.upon).toBeUndefined();
  expect((await stored(second)).ticket.approved).toBeUndefined();
  expect(seenBy("review.json")).toContain("+second");
  expect(seenBy("review.json")).not.toContain("+first");

  await people.approve(await world.pullOf(second), "bob");
  await world.untilState(second, "Done");
  await world.settled();
  expect(await people.file("main", "src/first.txt")).toBe("first\n");
  expect(await people.file("main", "src/second.txt")).toBe("second\n");
  const sealed = (await linesOf(second)).find(({ event }) => event.type === "merge.certified")?.event;
  expect(sealed).toMatchObject({ facts: { pull: { base: "main" } } });
  const asked = (await linesOf(second)).find(({ event }) => event.type === "merge.asked")?.event;
  expect(asked).toMatchObject({ head: above.head, base: update?.base });
});

test("the first review of a stacked ticket sees none of what it stands on", async () => {
  world = await openWorld({ config, scenes });
  const first = open("first");
  await world.untilState(first, "In Review");
  const review = join(world.dir, "review.json");
  world.scenes([...scenes, { role: "review", steps: [usage, { echo: review }, { answer: pass }] }]);
  const second = open("second", first);
  await world.untilState(second, "In Review");
  await world.settled();
  expect(seenBy("review.json")).toContain("+second");
  expect(seenBy("review.json")).not.toContain("+first");
});

test("without the configuration it waits in the queue", async () => {
  world = await openWorld({ scenes });
  const first = open("first");
  await world.untilState(first, "In Review");
  const second = open("second", first);
  await world.until("withheld", () => world.steps.some(({ event }) => event === "slot.withheld"));
  await world.settled();
  expect(await world.stateOf(second)).toBe("Ready");
});

test("one that was held starts as soon as what it depends on is in review", async () => {
  world = await openWorld({
    config,
    scenes: [
      { role: "review", prompt: "Write src/first.txt.", steps: [usage, { sleep: 400 }, { answer: pass }] },
      ...scenes,
    ],
  });
  const first = open("first");
  const second = open("second", first);
  await world.untilState(second, "In Review");
  expect((await stored(second)).ticket.upon?.ticket).toBe(idOf(first));
});

test("a rework of what it stands on is taken over once, when that is in review again", async () => {
  const { first, second } = await stacked();
  const { people } = world;
  const [below, above] = [await pullOf(first), await pullOf(second)];
  const [old, early] = [below.head, above.head];
  world.scenes([
    {
      role: "build",
      prompt: "say it louder",
      steps: [usage, { write: { path: "src/first.txt", text: "FIRST\n" } }, { done: "louder" }],
    },
    ...scenes,
  ]);
  await people.requestChanges(await world.pullOf(first), "bob", "say it louder");
  await world.until("reworked", () => below.head !== old);
  await world.until("carried over", () => above.head !== early);
  await world.untilState(second, "In Review");
  await world.settled();
  expect(await updatesOf(second)).toMatchObject([
    { from: early, oldBase: old, base: below.head, upon: { ticket: idOf(first), head: below.head } },
  ]);
  expect(above).toMatchObject({ baseRef: below.headRef, draft: true });
  expect(await people.file(above.head, "src/first.txt")).toBe("FIRST\n");
  expect(await people.file(above.head, "src/second.txt")).toBe("second\n");
  expect((await linesOf(second)).filter(({ event }) => event.type === "review.passed")).toHaveLength(2);
  expect(await told(second)).toContain(`Waits for acme/web#${first}, which it is stacked on`);
});

test("what conflicts with a rework of what it stands on is settled by the builder, with that and not with the default branch", async () => {
  const louder = {
    role: "build",
    prompt: "say it louder",
    steps: [usage, { write: { path: "src/first.txt", text: "FIRST\n" } }, { done: "louder" }],
  };
  const settle = {
    role: "build",
    prompt: ["Write src/second.txt.", "conflicts with its base"],
    file: { path: "src/first.txt", contains: "<<<<<<<" },
    steps: [usage, { write: { path: "src/first.txt", text: "FIRST and second\n" } }, { done: "settled" }],
  };
  const both = {
    role: "build",
    prompt: "Write src/second.txt.",
    steps: [
      usage,
      { write: { path: "src/first.txt", text: "first and second\n" } },
      { done: "wrote src/first.txt" },
    ],
  };
  const { first, second } = await stacked({ scenes: [settle, louder, wrote("first"), both] });
  const { people } = world;
  const [below, above] = [await pullOf(first), await pullOf(second)];
  await people.requestChanges(await world.pullOf(first), "bob", "say it louder");
  await world.until("it stands on the rework", async () => {
    const { ticket } = await stored(second);
    return ticket.upon?.head === below.head && ticket.state === "In Review";
  });
  await world.settled();
  expect(await people.file(above.head, "src/first.txt")).toBe("FIRST and second\n");
  expect((await linesOf(second)).filter(({ event }) => event.type === "merge.refused")).toHaveLength(1);
  await people.approve(await world.pullOf(first), "bob");
  await world.until("carried over", async () => (await stored(second)).ticket.upon === undefined);
  await world.untilState(second, "In Review");
  await world.settled();
  await people.approve(await world.pullOf(second), "bob");
  await world.untilState(second, "Done");
  expect(await people.file("main", "src/first.txt")).toBe("FIRST and second\n");
});

test("a reset of what it stands on, which takes the branch away, does not close its pull request", async () => {
  const { first, second } = await stacked();
  const { people } = world;
  const above = await pullOf(second);
  people.label(first, "forgehand:hard-reset", "ada");
  await world.untilState(second, "Blocked");
  await world.settled();
  expect(people.thread(await world.pullOf(second)).state).toBe("open");
  expect(above).toMatchObject({ baseRef: "main", draft: true });
  expect(await told(second)).toContain("Waits for a person's decision");
});

test("where GitHub itself deletes the merged branch, the pull request it points elsewhere is carried over all the same", async () => {
  const { first, second } = await stacked();
  world.repo.deletesMerged = true;
  const above = await pullOf(second);
  const early = above.head;
  await world.people.approve(await world.pullOf(first), "bob");
  await world.until("carried over", () => above.head !== early);
  await world.untilState(second, "In Review");
  await world.settled();
  expect(above).toMatchObject({ baseRef: "main", draft: false });
  await world.people.approve(await world.pullOf(second), "bob");
  await world.untilState(second, "Done");
});

test("a person's commit on it is not written anew: only what it adds is merged with the new base", async () => {
  const { first, second } = await stacked();
  const { people } = world;
  const above = await pullOf(second);
  const theirs = await people.push(above.headRef, "ada", { "src/by-hand.txt": "by hand\n" });
  await world.until("theirs is reviewed", async () =>
    (await linesOf(second)).some(({ event }) => event.type === "review.passed" && event.head === theirs),
  );
  await world.untilState(second, "In Review");
  await people.approve(await world.pullOf(first), "bob");
  await world.until("carried over", () => above.head !== theirs);
  await world.untilState(second, "In Review");
  await world.settled();
  expect(await updatesOf(second)).toMatchObject([{ from: theirs, how: "merge", unchanged: true }]);
  expect(await people.file(above.head, "src/by-hand.txt")).toBe("by hand\n");
});

test("where what it stands on is closed unmerged it is held, and a retry goes on with its own commits alone", async () => {
  const { first, second } = await stacked();
  const { people } = world;
  const above = await pullOf(second);
  const early = above.head;
  people.closeIssue(first, "bob", "not_planned");
  await world.untilState(second, "Blocked");
  await world.settled();
  const said = people
    .thread(second)
    .comments.map(({ body }) => body)
    .join("\n");
  expect(said).toContain(`acme/web#${first}, which it is stacked on, was closed without being merged`);
  expect(above.head).toBe(early);
  expect(people.thread(await world.pullOf(second)).state).toBe("open");
  people.comment(second, "bob", "/forgehand retry");
  await world.until("carried over", () => above.head !== early);
  await world.untilState(second, "In Review");
  await world.settled();
  expect(above).toMatchObject({ baseRef: "main", draft: false });
  await expect(people.file(above.head, "src/first.txt")).rejects.toThrow();
  expect(await people.file(above.head, "src/second.txt")).toBe("second\n");
  await people.approve(await world.pullOf(second), "bob");
  await world.untilState(second, "Done");
});

test("where its own commits conflict without what they stand on, a person settles it", async () => {
  const both = {
    role: "build",
    prompt: "Write src/second.txt.",
    steps: [
      usage,
      { write: { path: "src/first.txt", text: "first and second\n" } },
      { done: "wrote src/first.txt" },
    ],
  };
  const { first, second } = await stacked({ scenes: [wrote("first"), both] });
  const { people } = world;
  const above = await pullOf(second);
  const early = above.head;
  people.closeIssue(first, "bob", "not_planned");
  await world.untilState(second, "Blocked");
  await world.settled();
  people.comment(second, "bob", "/forgehand retry");
  await world.until("told", () =>
    people
      .thread(second)
      .comments.some(({ body }) =>
        body.includes(`without acme/web#${first} its own commits conflict with main in src/first.txt`),
      ),
  );
  await world.settled();
  expect(await world.stateOf(second)).toBe("Blocked");
  expect(above.head).toBe(early);
  expect(world.steps.filter(({ event }) => event === "build.delivered")).toHaveLength(2);
});

test("a third stands on the second, and a fourth would be one too many", async () => {
  const { first, second } = await stacked();
  const { people } = world;
  const third = open("third", second);
  await world.untilState(third, "In Review");
  const fourth = open("fourth", third);
  await world.until("withheld", () => world.steps.some(({ event }) => event === "slot.withheld"));
  await world.settled();
  expect(await world.stateOf(fourth)).toBe("Ready");
  const top = await pullOf(third);
  expect(top.baseRef).toBe((await pullOf(second)).headRef);
  for (const issue of [first, second, third]) {
    await world.until("it stands on main", async () => (await pullOf(issue)).baseRef === "main");
    await world.until("and is reviewed", async () => {
      const { ticket } = await stored(issue);
      return ticket.state === "In Review" && ticket.upon === undefined;
    });
    await world.settled();
    await people.approve(await world.pullOf(issue), "bob");
    await world.untilState(issue, "Done");
  }
  expect(await people.file("main", "src/third.txt")).toBe("third\n");
  expect(await people.file("main", "src/first.txt")).toBe("first\n");
});

test("killed while it is carried over, it ends where it would have", async () => {
  const { first, second } = await stacked();
  const { people } = world;
  const above = await pullOf(second);
  const early = above.head;
  const { drift } = world.forgehand.shop;
  let killed: Promise<void> | undefined;
  Object.assign(world.forgehand.shop, {
    drift: {
      ...drift,
      publish: async (...args: Parameters<typeof drift.publish>) => {
        await drift.publish(...args);
        killed ??= world.forgehand.stop(0);
        throw new Error("killed right after the push");
      },
    },
  });
  await people.approve(await world.pullOf(first), "bob");
  await world.until("killed", () => killed !== undefined);
  await killed;
  await world.start();
  await world.until("heard of", async () => (await updatesOf(second)).length > 0);
  await world.untilState(second, "In Review");
  // The order that was cut short is given up only when it is its turn again.
  await world.until("asked for", () => !above.draft);
  await world.settled();
  expect(above.baseRef).toBe("main");
  expect(above.head).not.toBe(early);
  expect(await updatesOf(second)).toHaveLength(1);
  expect((await stored(second)).ticket.upon).toBeUndefined();
  await people.approve(await world.pullOf(second), "bob");
  await world.untilState(second, "Done");
});

test("told that it waits for a reset one, it is held anew when that is closed unmerged", async () => {
  const { first, second } = await stacked();
  const { people } = world;
  const above = await pullOf(second);
  const early = above.head;
  people.label(first, "forgehand:hard-reset", "ada");
  await world.untilState(second, "Blocked");
  await world.settled();
  people.comment(second, "bob", "/forgehand retry");
  await world.untilState(second, "In Review");
  await world.settled();
  people.closeIssue(first, "bob", "not_planned");
  await world.untilState(second, "Blocked");
  await world.settled();
  expect(await told(second)).toContain("was closed without being merged");
  expect(above.head).toBe(early);
});

test("where a person merges the middle one into the branch it is stacked on, the top one follows that branch", async () => {
  const { first, second } = await stacked();
  world.repo.deletesMerged = true;
  const third = open("third", second);
  await world.untilState(third, "In Review");
  await world.settled();
  const top = await pullOf(third);
  const early = top.head;
  await mergeByHand(world, await world.pullOf(second), "bob");
  await world.until("carried over", () => top.head !== early);
  await world.untilState(third, "In Review");
  await world.settled();
  expect(top.baseRef).toBe((await pullOf(first)).headRef);
});

test("where it was pointed there by such a merge, its pull request outlives that branch", async () => {
  const { first, second } = await stacked();
  world.repo.deletesMerged = true;
  const { people } = world;
  const third = open("third", second);
  await world.untilState(third, "In Review");
  people.comment(third, "bob", "/forgehand stop");
  await world.untilState(third, "Blocked");
  await world.settled();
  const [below, top] = [await pullOf(first), await pullOf(third)];
  await mergeByHand(world, await world.pullOf(second), "bob");
  await world.until("reviewed with it", async () => {
    const { ticket } = await stored(first);
    return ticket.reviewed !== undefined && ticket.reviewed === below.head;
  });
  await world.settled();
  expect(top.baseRef).toBe(below.headRef);
  world.repo.deletesMerged = false;
  await people.approve(await world.pullOf(first), "bob");
  await world.untilState(first, "Done");
  await world.settled();
  expect(world.repo.branches.has(below.headRef)).toBe(false);
  expect(top.baseRef).toBe("main");
  expect(people.thread(await world.pullOf(third)).state).toBe("open");
});
