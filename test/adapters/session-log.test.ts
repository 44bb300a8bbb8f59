import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { openSessionLog, type SessionLogOptions } from "../../src/adapters/logs/session-log.ts";
import { readSessionLog } from "../../src/adapters/logs/session-log-reader.ts";
import { redact, redactKnown } from "../../src/secrets.ts";
import { virtualClock } from "../../src/simulator/virtual-clock.ts";
import { temporaryFolder } from "../temporary.ts";

const folder = (): string => temporaryFolder("session-log-");
function opened(options: Partial<SessionLogOptions> = {}) {
  const clock = virtualClock(1_000);
  const warned: object[] = [];
  const log = openSessionLog({
    folder: folder(),
    clock,
    redact,
    warn: (fields) => warned.push(fields),
    ...options,
  });
  return { log, clock, warned };
}
const textsOf = (path: string): readonly string[] =>
  readSessionLog(path)?.lines.map(({ type, text }) => `${type} ${text}`) ?? [];

test("lines are kept in order, for this user alone, and any tool that reads gzip reads them", () => {
  const { log } = opened();
  log.add("a/1", "prompt", "Say done.\nPlease.");
  log.add("a/1", "stdout", '{"type":"x"}');
  log.close("a/1");
  log.add("a/1", "stderr", "warning: ä");
  log.add("b/1", "text", "of another session");
  log.closeAll();
  const path = log.pathOf("a/1");
  expect(textsOf(path)).toEqual(["prompt Say done.\nPlease.", 'stdout {"type":"x"}', "stderr warning: ä"]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const lines = gunzipSync(readFileSync(path)).toString("utf8").trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual({
    at: 1_000,
    type: "stderr",
    text: "warning: ä",
  });
  expect(textsOf(log.pathOf("b/1"))).toEqual(["text of another session"]);
});

test("what was said is on the disk a second later, though nobody closes the session", async () => {
  const { log, clock } = opened();
  log.add("a", "text", "one");
  expect(readSessionLog(log.pathOf("a"))).toBeUndefined();
  await clock.advance(1_000);
  const first = readSessionLog(log.pathOf("a"));
  expect(first?.lines).toEqual([{ at: 1_000, type: "text", text: "one" }]);
  log.add("a", "text", "two");
  await clock.advance(1_000);
  expect(readSessionLog(log.pathOf("a"), first?.next)?.lines.map(({ text }) => text)).toEqual(["two"]);
});

test("lines of some kinds are read without the others", () => {
  const { log } = opened();
  log.add("a", "stdout", '{"at":1,"type":"tool","text":"said in the stream"}');
  log.add("a", "tool", "Read a.ts");
  log.add("a", "text", "done");
  log.close("a");
  const read = readSessionLog(log.pathOf("a"), 0, new Set(["tool", "text"] as const));
  expect(read?.lines.map(({ text }) => text)).toEqual(["Read a.ts", "done"]);
});

test("much text waits for no clock", () => {
  const { log } = opened();
  for (let n = 0; n < 10; n += 1) log.add("a", "stdout", `${n} ${"x".repeat(10_000)}`);
  expect(textsOf(log.pathOf("a")).length).toBeGreaterThan(5);
});

test("wherever a file is torn, what is whole before is read, and what is written afterwards is whole", () => {
  const { log } = opened();
  for (const text of ["one", "two", "three"]) {
    log.add("a", "text", text);
    log.close("a");
  }
  const path = log.pathOf("a");
  const whole = readFileSync(path);
  for (let bytes = 0; bytes < whole.length; bytes += 1) {
    writeFileSync(path, whole);
    truncateSync(path, bytes);
    const torn = textsOf(path);
    expect(["text one", "text two"].slice(0, torn.length)).toEqual(torn);
    log.add("a", "text", "after");
    log.close("a");
    expect(textsOf(path)).toEqual([...torn, "text after"]);
    expect(gunzipSync(readFileSync(path)).toString("utf8").trim().split("\n")).toHaveLength(torn.length + 1);
  }
});

test("a damaged stretch costs itself alone", () => {
  const { log } = opened();
  const ends: number[] = [];
  for (const text of ["one", "two", "three"]) {
    log.add("a", "text", text);
    log.close("a");
    ends.push(statSync(log.pathOf("a")).size);
  }
  const path = log.pathOf("a");
  const bytes = readFileSync(path);
  bytes.fill(0, (ends[0] ?? 0) + 30, (ends[1] ?? 0) - 2);
  writeFileSync(path, bytes);
  expect(textsOf(path)).toEqual(["text one", "cut a part of this log is damaged", "text three"]);
});

test("a process that is killed while it writes leaves a log that is read to its last whole member", async () => {
  const dir = folder();
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("./session-log-child.ts", import.meta.url)), dir],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  const { log } = opened({ folder: dir });
  const path = log.pathOf("one");
  const numbers = textsOf(path).map((line) => Number(line.split(" ")[1]));
  expect(numbers.length).toBeGreaterThanOrEqual(500);
  expect(numbers).toEqual(numbers.map((_, index) => index));
  log.add("one", "text", "the next process");
  log.close("one");
  expect(textsOf(path)).toHaveLength(numbers.length + 1);
  expect(() => gunzipSync(readFileSync(path))).not.toThrow();
});

test("a session that says too much is kept up to a limit, and says so once; what was heard goes on", () => {
  const { log } = opened({ rawBytes: 1_000, heardBytes: 500 });
  for (let n = 0; n < 20; n += 1) log.add("a", "stdout", "x".repeat(100));
  log.add("a", "text", "still heard");
  for (let n = 0; n < 20; n += 1) log.add("a", "text", "y".repeat(100));
  log.close("a");
  const kinds = readSessionLog(log.pathOf("a"))?.lines.map(({ type }) => type) ?? [];
  expect(kinds.filter((kind) => kind === "stdout")).toHaveLength(10);
  expect(kinds.indexOf("cut")).toBe(10);
  expect(kinds.filter((kind) => kind === "cut")).toHaveLength(2);
  expect(textsOf(log.pathOf("a"))).toContain("text still heard");
});

test("one endless line is cut", () => {
  const { log } = opened();
  log.add("a", "stdout", "x".repeat(3 * 1024 * 1024));
  log.close("a");
  const [line] = textsOf(log.pathOf("a"));
  expect(line?.length).toBeLessThan(300_000);
  expect(line).toMatch(/more characters are not kept\]$/u);
});

test("where a line is cut, no half of a secret is left", () => {
  const secret = "Zq8xT3vN9bLw2KfR7mYc5DhP";
  const { log } = opened({ redact: redactKnown([secret]) });
  log.add("a", "stdout", `${"x".repeat(256 * 1024 - 12)}${secret}${"y".repeat(100_000)}`);
  log.close("a");
  expect(textsOf(log.pathOf("a"))[0]).not.toContain(secret.slice(0, 12));
});

test("no secret is kept: by its shape, by its value, in JSON in JSON, or told line by line", () => {
  const token = `ghp_${"a1B2".repeat(10)}`;
  const own = "correct horse\nbattery staple";
  const password = "Zq8xT3vN9bLw2KfR7mYc5DhP";
  const { log } = opened({ redact: redactKnown([own, "short"]) });
  const nested = JSON.stringify({ output: JSON.stringify({ api_key: password, note: own }) });
  log.add("a", "stdout", nested);
  log.add("a", "stdout", `{"text":"${token}"}`);
  log.add("a", "text", `it says ${own}, which is short`);
  const key = [
    "-----BEGIN RSA PRIVATE KEY-----",
    "MIIEpAIBAAKCAQEA7",
    "abcd",
    "-----END RSA PRIVATE KEY-----",
  ];
  for (const line of [...key, "and then"]) log.add("a", "stderr", line);
  log.close("a");
  const all = textsOf(log.pathOf("a")).join("\n");
  for (const secret of [token, password, "battery staple", "MIIEpAIBAAKCAQEA7", "abcd"])
    expect(all).not.toContain(secret);
  expect(all).toContain("which is short");
  expect(all).toContain("and then");
});

test("a line that only mentions a private key hides nothing that follows", () => {
  const { log } = opened();
  log.add("a", "stderr", "grep: -----BEGIN PRIVATE KEY-----");
  log.add("a", "stderr", '{"type":"result"} is kept.');
  log.close("a");
  expect(textsOf(log.pathOf("a"))[1]).toBe('stderr {"type":"result"} is kept.');
});

test.skipIf(process.platform !== "linux")("a full disk costs lines, says how many, and no more", () => {
  const { log, warned } = opened();
  log.add("a", "text", "before");
  log.close("a");
  const path = log.pathOf("a");
  rmSync(path);
  symlinkSync("/dev/full", path);
  for (const text of ["one", "two"]) log.add("a", "text", text);
  // The whole session stays open: it is not closed between.
  for (let n = 0; n < 10; n += 1) log.add("a", "stdout", "x".repeat(10_000));
  for (let n = 0; n < 10; n += 1) log.add("a", "stdout", "x".repeat(10_000));
  expect(warned).toHaveLength(1);
  expect(warned[0]).toMatchObject({ why: expect.stringContaining("ENOSPC") as string });
  rmSync(path);
  log.add("a", "text", "room again");
  log.close("a");
  const texts = textsOf(path);
  expect(texts[0]).toMatch(/^cut \d+ lines could not be written: ENOSPC/u);
  expect(texts.at(-1)).toBe("text room again");
});

test("a folder that cannot be made costs the log alone", () => {
  const dir = folder();
  writeFileSync(join(dir, "file"), "");
  const { log, warned } = opened({ folder: join(dir, "file", "logs") });
  log.add("a", "text", "one");
  log.close("a");
  expect(warned).toHaveLength(1);
  expect(dirname(log.pathOf("a"))).toBe(join(dir, "file", "logs"));
});
