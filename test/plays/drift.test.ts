/** The base moves on while a pull request waits. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openWorld, pass, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const headOf = (pull: number): string => world.people.thread(pull).pull?.head ?? "";
const linesOf = (issue: number) => world.forgehand.store.linesOf(`github:${world.repo.id}#${issue}`);
const updatesOf = async (issue: number) =>
  (await linesOf(issue)).flatMap(({ event }) =>
    event.type === "head.moved" && event.update !== undefined ? [event.update] : [],
  );
const seen = (event: string): number => world.steps.filter((one) => one.event === event).length;
const configured = (merge: string): string =>
  `merge: { settle_seconds: 0${merge === "" ? "" : `, ${merge}`} }\nlimits: { feedback_seconds: 0 }\n`;

async function inReview(options: { readonly merge: string; readonly scenes?: readonly object[] }): Promise<{
  readonly issue: number;
  readonly pull: number;
}> {
  world = await openWorld({ config: configured(options.merge), scenes: options.scenes ?? [] });
  const { people } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  return { issue, pull: await world.pullOf(issue) };
}
/** Reviewed again at another head. */
async function reviewedAnew(issue: number, pull: number, old: string): Promise<string> {
  await world.until("another head", () => headOf(pull) !== old);
  const reviews = 2;
  await world.until("reviewed again", () => seen("review.passed") >= reviews);
  await world.untilState(issue, "In Review");
  await world.settled();
  return headOf(pull);
}

test("a branch that the rules want up to date takes over its base, is reviewed as a whole and asks for consent again", async () => {
  const { issue, pull } = await inReview({ merge: "" });
  const { people } = world;
  const told = join(world.dir, "review.json");
  world.scenes([{ role: "review", steps: [usage, { echo: told }, { answer: pass }] }]);
  people.protect("main", { checks: [], approvals: 0, strict: true });
  await people.push("main", "ada", { "elsewhere.txt": "moved on\n" });
  const old = headOf(pull);
  await people.approve(pull, "bob");
  const head = await reviewedAnew(issue, pull, old);
  const [update] = await updatesOf(issue);
  expect(update).toMatchObject({ from: old, how: "merge", unchanged: true, gained: { count: 1 } });
  const { prompt } = JSON.parse(readFileSync(told, "utf8")) as { readonly prompt: string };
  expect(prompt).toContain(`was made from ${old.slice(0, 12)}, which a review had passed`);
  expect(prompt).toContain("The change itself is unchanged");
  expect(prompt).not.toContain("+moved on");
  expect(prompt).toContain("+done");
  expect(
    (await world.forgehand.store.load(`github:${world.repo.id}#${issue}`))?.ticket.approved,
  ).toBeUndefined();
  await people.approve(pull, "bob", { head });
  await world.untilState(issue, "Done");
  expect(await people.file("main", "elsewhere.txt")).toBe("moved on\n");
  expect(await people.file("main", "src/done.txt")).toBe("done\n");
});

test("kept up to date by rebase, the branch stays ours to build on", async () => {
  const { issue, pull } = await inReview({ merge: "keep_up_to_date: true, update: rebase" });
  const { people } = world;
  const base = await people.push("main", "ada", { "elsewhere.txt": "moved on\n" });
  const old = headOf(pull);
  await people.approve(pull, "bob");
  const head = await reviewedAnew(issue, pull, old);
  expect(await updatesOf(issue)).toMatchObject([{ from: old, base, how: "rebase", unchanged: true }]);
  world.scenes([
    {
      role: "build",
      prompt: "say more",
      steps: [usage, { write: { path: "src/more.txt", text: "more\n" } }, { done: "said more" }],
    },
  ]);
  await people.requestChanges(pull, "bob", "say more");
  await world.until("built on", () => headOf(pull) !== head);
  await world.untilState(issue, "In Review");
  await world.settled();
  expect(await people.file(headOf(pull), "src/more.txt")).toBe("more\n");
  expect(await people.file(headOf(pull), "elsewhere.txt")).toBe("moved on\n");
  await people.approve(pull, "bob");
  await world.untilState(issue, "Done");
});

test("a person's commit on the branch is never written anew: the base is merged instead", async () => {
  const { issue, pull } = await inReview({ merge: "keep_up_to_date: true, update: rebase" });
  const { people } = world;
  const branch = people.thread(pull).pull?.headRef ?? "";
  const theirs = await people.push(branch, "ada", { "src/by-hand.txt": "by hand\n" });
  await world.until("theirs is reviewed", () => seen("review.passed") === 2);
  await world.untilState(issue, "In Review");
  await world.settled();
  await people.push("main", "ada", { "elsewhere.txt": "moved on\n" });
  await people.approve(pull, "bob");
  await world.until("taken over", () => headOf(pull) !== theirs);
  await world.until("reviewed again", () => seen("review.passed") === 3);
  await world.untilState(issue, "In Review");
  await world.settled();
  expect(await updatesOf(issue)).toMatchObject([{ from: theirs, how: "merge" }]);
  expect(await people.file(headOf(pull), "src/by-hand.txt")).toBe("by hand\n");
});

test("a base in conflict goes to the builder once, with its files, and then to a person", async () => {
  const { issue, pull } = await inReview({ merge: "keep_up_to_date: true" });
  const { people, dir } = world;
  const go = join(dir, "go");
  world.scenes([
    {
      role: "build",
      prompt: ["conflicts with its base", "src/done.txt"],
      steps: [usage, { run: "sed -i '/^[<=>]\\{7\\}/d' src/done.txt" }, { done: "settled it" }],
    },
    // The review of what was settled ends only when the base has moved against it again.
    { role: "review", steps: [usage, { run: `until test -e ${go}; do sleep 0.05; done` }, { answer: pass }] },
  ]);
  await people.push("main", "ada", { "src/done.txt": "finished\n" });
  people.label(issue, "auto-merge", "ada");
  await world.until("settled", () => seen("build.delivered") === 2);
  expect((await people.file(headOf(pull), "src/done.txt")).split("\n").toSorted()).toEqual([
    "",
    "done",
    "finished",
  ]);
  await people.push("main", "ada", { "src/done.txt": "over\n" });
  writeFileSync(go, "");
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(seen("build.delivered")).toBe(2);
  const said = people
    .thread(issue)
    .comments.map(({ body }) => body)
    .join("\n");
  expect(said).toContain("conflicts with its base in src/done.txt, again");
});
