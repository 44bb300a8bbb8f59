import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hourMs, openHouse, signInTo, type House } from "./house.ts";
import { openLinearStand, type LinearStand } from "./stand.ts";

const child = fileURLToPath(new URL("child.ts", import.meta.url));
const later = 25 * hourMs;

interface Asker {
  go(): void;
  readonly ready: Promise<void>;
  readonly ended: Promise<{ readonly signal: string | null; readonly said: string | undefined }>;
}
let stand: LinearStand;
let house: House;
let started: ChildProcess[] = [];
beforeEach(async () => {
  stand = await openLinearStand();
  house = await openHouse({ stand });
  await signInTo(house, stand);
  house.clock.move(later);
});
afterEach(async () => {
  for (const one of started) one.kill("SIGKILL");
  started = [];
  house.close();
  await stand.close();
});

function ask(dies: "never" | "before-persist" | "after-persist" = "never"): Asker {
  const argv = ["--conditions=forgehand-source", child, house.database, stand.url, String(later), dies];
  const asker = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "inherit"] });
  started.push(asker);
  const lines: string[] = [];
  const ready = Promise.withResolvers<void>();
  const reader = createInterface(asker.stdout);
  reader.on("line", (line) => {
    if (line === "ready") ready.resolve();
    else lines.push(line);
  });
  const ended = new Promise<{ signal: string | null; said: string | undefined }>((resolve) => {
    asker.once("close", (_, signal) => {
      ready.resolve();
      resolve({ signal, said: lines.at(-1) });
    });
  });
  return { go: () => void asker.stdin.write("go\n"), ready: ready.promise, ended };
}
const refreshes = (): number => stand.asked.filter((grant) => grant === "refresh_token").length;
const untilAsked = async (): Promise<void> => {
  while (refreshes() === 0) await new Promise((resolve) => void setImmediate(resolve));
};

test("two processes that want a token at once ask Linear once and get the same", async () => {
  const askers = [ask(), ask()];
  await Promise.all(askers.map(({ ready }) => ready));
  const release = stand.hold();
  for (const asker of askers) asker.go();
  await untilAsked();
  release();
  const [one, other] = await Promise.all(askers.map(({ ended }) => ended));
  expect(one?.said).toContain('"granted"');
  expect(other?.said).toBe(one?.said);
  expect(refreshes()).toBe(1);
});

test("a process that dies between Linear's answer and storing it loses the pair, and that is told", async () => {
  const asker = ask("before-persist");
  await asker.ready;
  asker.go();
  expect(await asker.ended).toMatchObject({ signal: "SIGKILL", said: undefined });
  const access = await house.desk.accessToken("org-acme");
  expect(access).toMatchObject({
    is: "signed-out",
    why: expect.stringContaining("before the new tokens were stored"),
    fix: expect.stringContaining("`forgehand auth linear`"),
  });
  expect(house.pages).toHaveLength(1);
  expect(refreshes()).toBe(2);
});

test("a process that dies once the pair is stored costs nothing", async () => {
  const asker = ask("after-persist");
  await asker.ready;
  asker.go();
  expect(await asker.ended).toMatchObject({ signal: "SIGKILL", said: undefined });
  expect(await house.desk.accessToken("org-acme")).toMatchObject({ is: "granted" });
  expect(refreshes()).toBe(1);
});

test("a process that dies while Linear still thinks holds nobody up", async () => {
  const asker = ask();
  await asker.ready;
  // Linear refuses what it never carried out.
  stand.next.push({ status: 503 });
  const release = stand.hold();
  asker.go();
  await untilAsked();
  for (const one of started) one.kill("SIGKILL");
  await asker.ended;
  release();
  expect(await house.desk.accessToken("org-acme")).toMatchObject({ is: "granted" });
  expect(house.pages).toEqual([]);
});
