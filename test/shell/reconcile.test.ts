/** What one repository or the forge refuses keeps the reconciler from nothing else, and makes no hammer of it. */
import { caps } from "../caps.ts";
import { afterEach, expect, test } from "vitest";
import { Trouble } from "../../src/ports.ts";
import { openReconcile } from "../../src/shell/reconcile.ts";
import { step } from "../../src/shell/step.ts";
import { diskIsFull, openStand, reconcileMs, repoNamed, type Stand } from "./stand.ts";

let stand: Stand;
afterEach(() => stand.close());

const file = async () => ({ text: undefined, at: "a".repeat(40) });
const refused = new Trouble("forge-refused", "403: this repository is disabled", { permanent: true });
const changed = {
  id: "github:1#7",
  ref: "o/r#7",
  number: 7,
  title: "t",
  body: "b",
  open: true,
  declined: false,
  labels: ["agent-ready"],
  author: "a",
  url: "",
  updatedAt: 0,
};
const looks = async (): Promise<readonly (string | undefined)[]> =>
  (await stand.store.unread(0, 100)).map(({ ticket }) => ticket);

test("a repository whose files cannot be read keeps nothing from the others, and is asked again next time", async () => {
  let asked = 0;
  stand = await openStand({
    hooks: {
      repos: async () => [repoNamed(2, "a-disabled"), repoNamed(1, "r")],
      file: async ({ id }) => {
        if (id !== 2) return await file();
        asked += 1;
        throw refused;
      },
    },
    changedSince: async () => [changed],
  });
  stand.start(openReconcile(stand.shop));
  await stand.calm();
  expect(await looks()).toEqual([changed.id]);
  // Without what it says about work in it a repository is not known: the defaults may demand less.
  expect((await stand.store.knownRepos()).map(({ name }) => name)).toEqual(["r"]);
  const once = asked;
  await stand.pass(reconcileMs - 1);
  expect(asked).toBe(once);
  await stand.pass(1);
  expect(asked).toBe(2 * once);
});

test("a repository whose issues cannot be listed keeps nothing from the others and is listed from where it was", async () => {
  stand = await openStand({
    hooks: { repos: async () => [repoNamed(2, "a-disabled"), repoNamed(1, "r")], file },
    changedSince: async ({ id }) => {
      if (id === 2) throw refused;
      return [changed];
    },
  });
  stand.start(openReconcile(stand.shop));
  await stand.calm();
  expect(await looks()).toEqual([changed.id]);
  expect((await stand.store.repoById(2))?.syncedAt).toBe(0);
  expect((await stand.store.repoById(1))?.syncedAt).toBe(stand.now());
});

test("while the forge lists no repositories those it listed last are compared, and none is forgotten", async () => {
  let isDown = true;
  stand = await openStand({
    hooks: {
      repos: async () => {
        if (isDown) throw new Trouble("forge-down", "502");
        return [repoNamed(1, "renamed")];
      },
      file,
    },
    changedSince: async () => [changed],
  });
  stand.start(openReconcile(stand.shop));
  await stand.calm();
  expect(await looks()).toEqual([changed.id]);
  isDown = false;
  await stand.pass(10_000);
  expect((await stand.store.knownRepos()).map(({ name }) => name)).toEqual(["renamed"]);
});

test("a ticket that waits for its look is not asked another", async () => {
  stand = await openStand({
    hooks: { repos: async () => [repoNamed(1, "r")], file },
    changedSince: async () => [changed],
  });
  stand.start(openReconcile(stand.shop));
  await stand.calm();
  await stand.pass(reconcileMs);
  await stand.pass(reconcileMs);
  expect(await looks()).toEqual([changed.id]);
});

test("a walk that cannot be recorded does not ask the forge again and again", async () => {
  let asked = 0;
  stand = await openStand({
    store: { knowRepo: diskIsFull },
    hooks: {
      repos: async () => {
        asked += 1;
        return [repoNamed(1, "r")];
      },
      file,
    },
  });
  stand.start(openReconcile(stand.shop));
  await stand.calm();
  await stand.pass(9_999);
  expect(asked).toBe(1);
  await stand.pass(1);
  await stand.pass(19_999);
  expect(asked).toBe(2);
});

test("a ticket in a repository that the App left is not looked at, until the App is back", async () => {
  let here = [repoNamed(1, "r")];
  stand = await openStand({ hooks: { repos: async () => here, file }, changedSince: async () => [] });
  const { store } = stand;
  const ticket = "github:1#7";
  const named = { repo: 1, number: 7, ref: "o/r#7", title: "t", url: "", author: "a", branch: "b" };
  await store.name(ticket, named, 1);
  const { policy } = stand.shop.rulesOf((await store.repoById(1))!);
  const event = { type: "hold.set", on: true } as const;
  await step(store, {
    ticket,
    event,
    eventId: "e",
    actor: "a",
    policy,
    caps,
    runLimitMs: 1,
    now: 1,
  });
  here = [];
  stand.start(openReconcile(stand.shop));
  await stand.calm();
  expect(await looks()).toEqual([]);
  here = [repoNamed(1, "r")];
  await stand.pass(reconcileMs);
  expect(await looks()).toEqual([ticket]);
});
