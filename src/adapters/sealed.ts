/** Keeps secrets in the database unreadable to whoever has only the database: AES-256-GCM. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { keyBytes } from "../config-linear.ts";
import { Problem } from "../problems.ts";
import type { Seal } from "../ports-seal.ts";

const version = "v1";
const ivBytes = 12;

/** Seals with this key. What was sealed for one purpose opens for no other. */
export function openSeal(key: Buffer): Seal {
  // Tells keys apart and nothing of them.
  const name = createHash("sha256")
    .update("forgehand key name\0")
    .update(key)
    .digest("base64url")
    .slice(0, 8);
  return {
    seal: (text, purpose) => {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(purpose, "utf8"));
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return [
        version,
        name,
        ...[iv, cipher.getAuthTag(), body].map((part) => part.toString("base64url")),
      ].join(".");
    },
    open: (sealed, purpose) => {
      const [of, by, iv = "", tag = "", body = ""] = sealed.split(".");
      if (of !== version) return { is: "damaged" };
      if (by !== name) return { is: "other-key" };
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(iv, "base64url"), {
          authTagLength: 16,
        })
          .setAAD(Buffer.from(purpose, "utf8"))
          .setAuthTag(Buffer.from(tag, "base64url"));
        const text = Buffer.concat([decipher.update(Buffer.from(body, "base64url")), decipher.final()]);
        return { is: "open", text: text.toString("utf8") };
      } catch {
        return { is: "damaged" };
      }
    },
  };
}

/** The file with the key lies beside the database, so that they move together; a backup of the database alone opens nothing. */
export const keyFileBeside = (database: string): string => `${database}.key`;

/** The key from the settings, else from the file; `make` writes the file where there is none. */
export function secretKeyOf(
  { secretKey, database }: { readonly secretKey: string | undefined; readonly database: string },
  absent: "make" | "none",
): Buffer | undefined {
  const given = secretKey === undefined ? undefined : keyBytes(secretKey);
  if (given !== undefined) return given;
  const path = keyFileBeside(database);
  try {
    return readKeyFile(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw keyProblem(path, error);
  }
  if (absent === "none") return undefined;
  try {
    makeKeyFile(path);
    return readKeyFile(path);
  } catch (error) {
    throw keyProblem(path, error);
  }
}

function readKeyFile(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    if ((fstatSync(file).mode & 0o077) !== 0)
      throw new Problem("secret-key-wrong", {
        path,
        why: "other users may read it",
        fix: `chmod 600 ${path}`,
      });
    const key = keyBytes(readFileSync(file, "utf8").trim());
    if (key === undefined)
      throw new Problem("secret-key-wrong", {
        path,
        why: "it does not hold 32 bytes in base64",
        fix: "put the file back from where it was kept, or move it aside and run `forgehand auth linear` again",
      });
    return key;
  } finally {
    closeSync(file);
  }
}

/** Whole or not at all: of two processes that make one at once, both go on with the first. */
function makeKeyFile(path: string): void {
  const draft = `${path}.${process.pid}-${randomBytes(6).toString("hex")}`;
  const file = openSync(draft, "wx", 0o600);
  try {
    writeSync(file, `${randomBytes(32).toString("base64")}\n`);
    fsyncSync(file);
    linkSync(draft, path);
    // What is sealed from now on must not outlive the key in a power cut.
    const folder = openSync(dirname(path), "r");
    fsyncSync(folder);
    closeSync(folder);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    closeSync(file);
    unlinkSync(draft);
  }
}

function keyProblem(path: string, error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(
    "secret-key-wrong",
    {
      path,
      why: codeOf(error) ?? "it cannot be used",
      fix: "let this user read and write there, or set FORGEHAND_SECRET_KEY (`openssl rand -base64 32` makes one)",
    },
    { cause: error },
  );
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined;
