/** Files of tickets tell what people did to them, once, and nothing of what we wrote ourselves. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { watchFiles, type FileDelivery } from "../../../src/adapters/local/feed.ts";
import {
  changeTicketFile,
  filesIn,
  claimNumber,
  newTicketFile,
} from "../../../src/adapters/local/ticket-folder.ts";
import { localTracker } from "../../../src/adapters/local/tracker.ts";
import type { Key } from "../../../src/ports.ts";
import { openLocalStage, writtenTicket, type LocalStage } from "../../local-stage.ts";

const key = "key" as Key;
let stage: LocalStage;
let told: FileDelivery[];
let look: () => Promise<void>;
beforeEach(() => {
  stage = openLocalStage();
  told = [];
  look = watch();
});
afterEach(() => stage.close());

const watch = (): (() => Promise<void>) => watchFiles(stage.parts, async (one) => void told.push(one));
const write = (title: string, labels: readonly string[] = []): number =>
  writtenTicket(stage.parts, { title, labels });
const pathOf = (number: number): string => filesIn(stage.parts.folders).get(number) ?? "";
const edit = (number: number, change: (text: string) => string): void =>
  writeFileSync(pathOf(number), change(readFileSync(pathOf(number), "utf8")));
const news = async (): Promise<readonly object[]> => {
  told = [];
  await look();
  return told.flatMap((one) => one.news);
};

test("a new file tells its labels, the one that releases last, and only once", async () => {
  write("Fix it", ["agent-ready", "auto-merge", "runtime/codex"]);
  expect(await news()).toEqual([
    { type: "labelled", label: "auto-merge" },
    { type: "labelled", label: "runtime/codex" },
    { type: "labelled", label: "agent-ready" },
  ]);
  expect(await news()).toEqual([]);
  // Another process, later.
  look = watch();
  expect(await news()).toEqual([]);
});

test("an edit, labels set and taken, and closing are told", async () => {
  const number = write("Fix it", ["agent-ready"]);
  await news();
  edit(number, (text) => text.replace("Do it.", "Do it well."));
  expect(await news()).toEqual([{ type: "issue.edited" }]);
  changeTicketFile(stage.parts.folders, number, {
    add: ["auto-merge"],
    remove: ["agent-ready"],
    closed: "declined",
  });
  expect(await news()).toEqual([
    { type: "unlabelled", label: "agent-ready" },
    { type: "labelled", label: "auto-merge" },
    { type: "issue.closed", how: "declined" },
  ]);
});

test("what we write ourselves is not told, and is in the history as ours", async () => {
  const tracker = localTracker(stage.parts);
  const issue = { repo: stage.parts.repo, number: write("Fix it", ["agent-ready"]) };
  await news();
  await tracker.setLabels(key, issue, { add: ["needs-spec"], remove: ["agent-ready"] });
  await tracker.move(key, issue, "Done");
  expect(await news()).toEqual([]);
  expect(await tracker.ticket(issue)).toMatchObject({ open: false, declined: false, labels: ["needs-spec"] });
  expect((await tracker.history(issue))?.labels.map(({ label, is, by }) => [label, is, by])).toEqual([
    ["agent-ready", "set", "ada"],
    ["needs-spec", "set", "forgehand[bot]"],
    ["agent-ready", "removed", "forgehand[bot]"],
  ]);
});

test("a change of ours that a crash cut short is finished, and never taken for a person's", async () => {
  const number = write("Fix it", ["agent-ready"]);
  await news();
  const record = stage.parts.records.ticket(number);
  // As it stands on disk between the intention and the file.
  if (record !== undefined)
    stage.parts.records.keep({ ...record, intent: { add: ["harness-blocked"], remove: ["agent-ready"] } });
  look = watch();
  expect(await news()).toEqual([]);
  expect(await localTracker(stage.parts).ticket({ repo: stage.parts.repo, number })).toMatchObject({
    labels: ["harness-blocked"],
  });
});

test("whoever dies after telling tells the same again, under the same name", async () => {
  const number = write("Fix it", ["agent-ready"]);
  const failing = watchFiles(stage.parts, async (one) => {
    told.push(one);
    throw new Error("killed");
  });
  await expect(failing()).rejects.toThrow("killed");
  const [first] = told;
  await news();
  expect(told).toMatchObject([{ id: first?.id, number }]);
});

test("a file that is gone is told at the second look, and one that comes back is not lost", async () => {
  const number = write("Fix it");
  await news();
  const path = pathOf(number);
  renameSync(path, `${path}.away`);
  expect(await news()).toEqual([]);
  renameSync(`${path}.away`, path);
  expect(await news()).toEqual([]);
  rmSync(path);
  expect([...(await news()), ...(await news())]).toEqual([{ type: "issue.deleted" }]);
  expect(await news()).toEqual([]);
});

test("a file that cannot be read keeps nothing from the others, and says where it is wrong", async () => {
  const [broken, other] = [write("Broken"), write("Other")];
  await news();
  edit(broken, () => "---\ntitle: [\n---\n");
  edit(other, (text) => text.replace("Do it.", "Do that."));
  expect(await news()).toEqual([{ type: "issue.edited" }]);
  await expect(localTracker(stage.parts).ticket({ repo: stage.parts.repo, number: broken })).rejects.toThrow(
    /0001-broken\.md:\d+: /u,
  );
});

test("in the repository only labels count that were set on this host: what a pull brings releases nothing", async () => {
  const { folders, records } = stage.parts;
  stage.write(
    ".forgehand/tickets/0007-theirs.md",
    "---\ntitle: Theirs\nlabels: [agent-ready, auto-merge]\n---\nDo it.\n",
  );
  expect(await news()).toEqual([]);
  const issue = { repo: stage.parts.repo, number: 7 };
  expect(await localTracker(stage.parts).ticket(issue)).toMatchObject({ title: "Theirs", labels: [] });
  changeTicketFile(folders, 7, { add: ["agent-ready"], remove: [] });
  expect(await news()).toEqual([{ type: "labelled", label: "agent-ready" }]);
  const own = { title: "Mine", body: "", labels: ["agent-ready"], author: "ada", createdAt: 0 };
  expect(claimNumber(folders, records)).toBe(8);
  newTicketFile({ folders, where: "repository" }, 8, own);
  expect(await news()).toEqual([{ type: "labelled", label: "agent-ready" }]);
});

test("what a checkout brings in the place of a file is no ticket, and is never read", async () => {
  const { folders } = stage.parts;
  stage.write("secret", "a secret\n");
  stage.write(".forgehand/tickets/0007-theirs.md", "Theirs\n");
  symlinkSync(join(stage.top, "secret"), join(stage.top, ".forgehand", "tickets", "0008-link.md"));
  mkdirSync(join(stage.top, ".forgehand", "tickets", "0009-folder.md"));
  execFileSync("mkfifo", [join(stage.top, ".forgehand", "tickets", "0010-pipe.md")]);
  expect([...filesIn(folders).keys()]).toEqual([7]);
  rmSync(join(stage.top, ".forgehand"), { recursive: true });
  const elsewhere = join(stage.dir, "elsewhere");
  mkdirSync(join(elsewhere, "tickets"), { recursive: true });
  writeFileSync(join(elsewhere, "tickets", "0007-theirs.md"), "Theirs\n");
  symlinkSync(elsewhere, join(stage.top, ".forgehand"));
  expect([...filesIn(folders).keys()]).toEqual([]);
  const own = { title: "Mine", body: "", labels: [], author: "ada", createdAt: 0 };
  expect(() => newTicketFile({ folders, where: "repository" }, 11, own)).toThrow(
    /\.forgehand is no folder of its own/u,
  );
  rmSync(join(stage.top, ".forgehand"));
  stage.write(".forgehand/tickets", "a file\n");
  expect([...filesIn(folders).keys()]).toEqual([]);
});

test("numbers are nobody's twice, also not of files that came by another way", () => {
  expect([write("One"), write("Two")]).toEqual([1, 2]);
  writeFileSync(pathOf(2).replace("0002-two", "0009-by-hand"), "# By hand\n");
  expect(write("Next")).toBe(10);
});
