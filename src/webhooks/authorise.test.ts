import { describe, expect, test } from "vitest";
import type { Permission } from "../ports.ts";
import { forbids } from "./authorise.ts";
import type { Sender } from "./heard.ts";

const sender = (kind: Sender["kind"], login = "alex"): Sender => ({ login, id: 1, kind });

describe("what a person may say follows from their permission now", () => {
  test.each([
    ["none", "no", "no"],
    ["read", "no", "no"],
    ["triage", "yes", "no"],
    ["write", "yes", "yes"],
    ["maintain", "yes", "yes"],
    ["admin", "yes", "yes"],
  ] satisfies readonly [Permission, string, string][])("%s", (permission, triage, write) => {
    const standing = { sender: sender("person"), permission, allowBots: [] };
    expect(forbids(standing, "triage") === undefined ? "yes" : "no").toBe(triage);
    expect(forbids(standing, "write") === undefined ? "yes" : "no").toBe(write);
  });
});

describe("bots", () => {
  const bot = sender("bot", "helper[bot]");
  test("an unlisted bot may say nothing, whatever permission it has", () => {
    expect(forbids({ sender: bot, permission: "admin", allowBots: ["*", "helper"] }, "triage")).toContain(
      "allow_bots",
    );
  });
  test("a listed bot may queue and stop work, and never consent to a merge", () => {
    const standing = { sender: bot, permission: "none", allowBots: ["Helper[bot]"] } as const;
    expect(forbids(standing, "triage")).toBeUndefined();
    expect(forbids(standing, "write")).toContain("only a person");
  });
  test("forgehand takes no orders from itself, even when listed", () => {
    const own = sender("forgehand", "forgehand[bot]");
    expect(forbids({ sender: own, permission: "admin", allowBots: [own.login] }, "triage")).toBeDefined();
  });
});
