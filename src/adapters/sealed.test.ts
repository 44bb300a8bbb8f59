import { chmodSync, existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { Problem } from "../problems.ts";
import { keyFileBeside, openSeal, secretKeyOf } from "./sealed.ts";

const key = Buffer.alloc(32, 1);
const seal = openSeal(key);

describe("what is sealed", () => {
  test("opens with its key, for its purpose", () => {
    const sealed = seal.seal("honey ✓", "linear/a/access");
    expect(seal.open(sealed, "linear/a/access")).toEqual({ is: "open", text: "honey ✓" });
    expect(sealed).not.toContain("honey");
    expect(seal.seal("honey ✓", "linear/a/access")).not.toBe(sealed);
  });

  test("opens for no other purpose, with no other key, and not when a byte of it was changed", () => {
    const sealed = seal.seal("honey", "linear/a/access");
    expect(seal.open(sealed, "linear/b/access")).toEqual({ is: "damaged" });
    expect(openSeal(Buffer.alloc(32, 2)).open(sealed, "linear/a/access")).toEqual({ is: "other-key" });
    const parts = sealed.split(".");
    for (const place of [2, 3, 4]) {
      const changed = parts.with(
        place,
        (parts[place] ?? "").replace(/^./u, (one) => (one === "A" ? "B" : "A")),
      );
      expect(seal.open(changed.join("."), "linear/a/access")).toEqual({ is: "damaged" });
    }
    // A short tag would be easier to forge.
    const short = parts.with(3, (parts[3] ?? "").slice(0, 6)).join(".");
    expect(seal.open(short, "linear/a/access")).toEqual({ is: "damaged" });
    expect(seal.open("", "linear/a/access")).toEqual({ is: "damaged" });
  });
});

describe("the key", () => {
  let database: string;
  beforeEach(() => {
    database = join(mkdtempSync(join(tmpdir(), "sealed-")), "forgehand.db");
  });
  const problemOf = (work: () => unknown): Problem => {
    try {
      work();
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
    throw new Error("no problem");
  };

  test("is the setting's, and then no file is made", () => {
    const given = { secretKey: key.toString("hex"), database };
    expect(secretKeyOf(given, "make")).toEqual(key);
    expect(existsSync(keyFileBeside(database))).toBe(false);
  });

  test("is made once beside the database, closed to others", () => {
    const given = { secretKey: undefined, database };
    expect(secretKeyOf(given, "none")).toBeUndefined();
    const made = secretKeyOf(given, "make");
    expect(made).toHaveLength(32);
    expect(secretKeyOf(given, "make")).toEqual(made);
    expect(statSync(keyFileBeside(database)).mode & 0o777).toBe(0o600);
  });

  test("in a file that others may read, or that holds something else, is refused with what to type", () => {
    const path = keyFileBeside(database);
    writeFileSync(path, "honey\n", { mode: 0o600 });
    const wrong = problemOf(() => secretKeyOf({ secretKey: undefined, database }, "make"));
    expect(wrong.code).toBe("secret-key-wrong");
    expect(wrong.message).not.toContain("honey");
    expect(readFileSync(path, "utf8")).toBe("honey\n");
    chmodSync(path, 0o644);
    const open = problemOf(() => secretKeyOf({ secretKey: undefined, database }, "none"));
    expect(open.message).toContain(`chmod 600 ${path}`);
  });

  test("that cannot be written is told before anything is lost", () => {
    const nowhere = join(database, "nowhere", "forgehand.db");
    const problem = problemOf(() => secretKeyOf({ secretKey: undefined, database: nowhere }, "make"));
    expect(problem.message).toContain("ENOENT");
    expect(problem.message).toContain("FORGEHAND_SECRET_KEY");
  });
});
