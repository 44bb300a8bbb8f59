import { expect, test } from "vitest";
import { maxLogChars, readableLog } from "./readable-log.ts";

test("colours and times of day are taken out", () => {
  expect(readableLog("2026-01-02T03:04:05.678Z \u001B[31mred\u001B[0m\r\n2026-01-02T03:04:06Z end")).toBe(
    "red\nend",
  );
});
test("a long log is cut to what stands before its last error", () => {
  const log = `${"early\n".repeat(5_000)}it broke here\n##[error]Process completed with exit code 1.\n${"clean-up\n".repeat(5_000)}`;
  const kept = readableLog(log);
  expect(kept).toContain("it broke here\n##[error]Process completed");
  expect(kept.length).toBeLessThan(maxLogChars + 100);
  expect(kept).toMatch(/^\[cut: more stands before this\]/);
  expect(kept).toMatch(/\[cut: more stands after this\]$/);
});
test("a long log without a marked error is cut to its end", () => {
  const kept = readableLog(`${"x\n".repeat(10_000)}the end`);
  expect(kept).toMatch(/the end$/);
  expect(kept.length).toBeLessThan(maxLogChars + 100);
});
