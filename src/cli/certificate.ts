import { existsSync, readFileSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { openClone } from "../adapters/git/clone-reader.ts";
import type { Clone } from "../certificate/clone.ts";
import { newestSeal, sealedCertificate } from "../certificate/compose.ts";
import type { Fault } from "../certificate/fault.ts";
import type { Anchor } from "../certificate/ledger-file.ts";
import { readHanded } from "../certificate/handed.ts";
import { verifyCertificate, type Handed, type Verification } from "../certificate/verify.ts";
import { summaryLines } from "../certificate/words.ts";
import { runById } from "../engine/index.ts";
import { Trouble } from "../ports.ts";
import { exitCodes } from "../problems.ts";
import { digest } from "../review/canonical.ts";
import type { Sql } from "../sql.ts";
import type { Line } from "../store/ledger.ts";
import { readOutput } from "../workflows/output.ts";
import { atDesk, ticketNamed } from "./database.ts";
import { bold, Failure, plain, type Answer } from "./output.ts";
import { shellWord } from "./shell-word.ts";

/** The certificate of a ticket's newest merge. */
export async function show(
  name: string,
  options: { readonly database?: string | undefined },
): Promise<Answer> {
  return await atDesk(options, "read", async ({ store, sql }) => {
    const stored = await ticketNamed(store, name);
    const lines = await store.linesOf(stored.ticket.id);
    const found = newestSeal(lines);
    if (found === undefined) throw new Failure(exitCodes.notFound, whyNone(stored.ref, lines));
    const { certificate, hash } = sealedCertificate(lines, found.merged, found.seal);
    const findings = await findingsOf(sql, lines, certificate.review?.line);
    const isWhole =
      findings !== undefined && certificate.review?.evidence?.findings.hash === digest(findings);
    return {
      schema: "certificate/1",
      data: { certificate, hash, ...(isWhole ? { findings } : {}) },
      text: [
        bold(`${certificate.ref}: certificate ${hash}`),
        ...summaryLines(certificate),
        `sealed in line ${found.seal.seq} of the ledger`,
      ]
        .map(plain)
        .join("\n"),
      hint: `verify it elsewhere: \`forgehand certificate show ${shellWord(name)} --json > certificate.json\`, \`forgehand ledger export --out ledger.ndjson\`, then \`forgehand certificate verify certificate.json --clone PATH --ledger ledger.ndjson\``,
    };
  });
}

function whyNone(ref: string, lines: readonly Line[]): string {
  const merged = lines.findLast(({ event }) => event.type === "pr.merged");
  return merged === undefined
    ? `${ref} was not merged; see \`forgehand explain ${shellWord(ref)}\``
    : `${ref} was merged (line ${merged.seq}) and its certificate is not made yet: \`forgehand up\` makes it as soon as the forge shows the merge`;
}

/** What the reviewer found, as its run kept it. */
async function findingsOf(
  sql: Sql,
  lines: readonly Line[],
  seq: number | undefined,
): Promise<readonly unknown[] | undefined> {
  const event = lines.find((line) => line.seq === seq)?.event;
  if (event?.type !== "review.passed") return undefined;
  return readOutput((await sql.read(() => runById(event.run)))?.output)?.findings;
}

interface VerifyOptions {
  readonly clone: string;
  readonly ledger: string;
  readonly anchor?: readonly string[] | undefined;
  readonly anchors?: string | undefined;
  readonly strict?: true | undefined;
}

/** Verifies a certificate from itself, a clone and the ledger's file: no database, no network. */
export async function verify(file: string, options: VerifyOptions): Promise<Answer> {
  const handed = readFile(file);
  if (!("certificate" in handed)) return refused(handed);
  const clone = await openClone(options.clone, process.env["PATH"] ?? "/usr/bin:/bin");
  if (clone === undefined)
    throw new Failure(
      exitCodes.notFound,
      `there is no git repository at ${options.clone}: \`git clone ${cloneUrl(handed)} ${shellWord(options.clone)}\``,
    );
  try {
    const anchors = await anchorsIn(options);
    const verified = await compared(handed, clone, { ledger: options.ledger, anchors });
    return verified.faults.length > 0
      ? refused(verified.faults)
      : holds(handed, verified, { strict: options.strict, anchors });
  } catch (error) {
    // A clone that left files out has commits whose files it cannot show.
    if (!(error instanceof Trouble)) throw error;
    const why = `git cannot tell from ${options.clone}: ${error.message}`;
    throw new Failure(
      exitCodes.failed,
      `${why}. It may be incomplete: \`git clone ${cloneUrl(handed)}\` makes a whole one`,
      { cause: error },
    );
  } finally {
    await clone.close();
  }
}

async function compared(
  handed: Handed,
  clone: Clone,
  options: { readonly ledger: string; readonly anchors: readonly Anchor[] },
): Promise<Verification> {
  const ledger = await ledgerAt(options.ledger);
  try {
    return await verifyCertificate(handed, {
      clone: { ...clone, path: shellWord(clone.path) },
      ledger: ledger.readLines(),
      anchors: options.anchors,
    });
  } finally {
    await ledger.close();
  }
}

async function ledgerAt(path: string): Promise<FileHandle> {
  const word = shellWord(path);
  try {
    const file = await open(path);
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!isGone)
      throw new Failure(exitCodes.usage, `${path} cannot be read: ${String(error)}`, { cause: error });
  }
  throw new Failure(
    exitCodes.notFound,
    `there is no file ${path}: \`forgehand ledger export --out ${word}\` writes it where forgehand runs`,
  );
}

/** `https://github.com/acme/web/pull/7` is the repository's address with more behind it. Nothing is verified yet: git takes other words for options or commands. */
const cloneUrl = ({ certificate: { pull } }: Handed): string =>
  pull === null || !/^https?:\/\//u.test(pull.url)
    ? "URL"
    : shellWord(`${pull.url.replace(/\/pull\/\d+$/u, "")}.git`);

async function anchorsIn(options: VerifyOptions): Promise<readonly Anchor[]> {
  if (options.anchor === undefined && options.anchors === undefined) return [];
  const { readAnchors } = await import("./ledger-anchors.ts");
  return readAnchors(options);
}

function readFile(file: string): Handed | readonly Fault[] {
  if (!existsSync(file))
    throw new Failure(
      exitCodes.notFound,
      `there is no file ${file}: \`forgehand certificate show TICKET --json > ${shellWord(file)}\` writes it where forgehand runs`,
    );
  try {
    return readHanded(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw new Failure(
      exitCodes.usage,
      `${file} is no JSON: hand over what \`forgehand certificate show TICKET --json\` printed, or the JSON block of the check run`,
      { cause: error },
    );
  }
}

function refused(faults: readonly Fault[]): Answer {
  return {
    schema: "certificate-verify/1",
    data: { holds: false, faults },
    text: [
      "The certificate does not hold:",
      ...faults.flatMap(({ field, why, do: does }) => [
        `  ${field}: ${why}`,
        ...(does === undefined ? [] : [`    ${does}`]),
      ]),
    ]
      .map(plain)
      .join("\n"),
    exit: exitCodes.failed,
  };
}

function holds(
  { certificate }: Handed,
  verified: Verification,
  { strict, anchors }: { readonly strict: true | undefined; readonly anchors: readonly Anchor[] },
): Answer {
  const { hash, head, sealedIn } = verified;
  // An anchor binds the lines up to its own: one of before the seal leaves the merge to whoever wrote the rest.
  const isAnchored = anchors.some(({ seq }) => sealedIn !== undefined && seq >= sealedIn);
  return {
    schema: "certificate-verify/1",
    data: { holds: true, faults: [], hash, head, sealedIn, isAnchored, gaps: certificate.gaps },
    text: [
      bold(`The certificate holds: ${certificate.ref}, ${hash}`),
      ...summaryLines(certificate),
      `sealed in line ${sealedIn} of a ledger of ${head.seq} lines; git agrees`,
    ]
      .map(plain)
      .join("\n"),
    exit: strict === true && certificate.gaps.length > 0 ? exitCodes.notMet : exitCodes.ok,
    ...(isAnchored
      ? {}
      : {
          hint: `a ledger that was forged as a whole shows only against an anchor of line ${sealedIn} or later: add --anchor LINE:HASH from the check run of a later merge`,
        }),
  };
}
