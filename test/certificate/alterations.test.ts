/** Nothing of a certificate, of the ledger or of the clone can be altered without being found, and each is named. */
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openClone, type OpenClone } from "../../src/adapters/git/clone-reader.ts";
import type { Clone } from "../../src/certificate/clone.ts";
import type { Certified } from "../../src/certificate/compose.ts";
import type { Fault } from "../../src/certificate/fault.ts";
import { readHanded } from "../../src/certificate/handed.ts";
import { certificateSchema } from "../../src/certificate/schema.ts";
import { verifyCertificate } from "../../src/certificate/verify.ts";
import { genesis, hashOf, type LineRow } from "../../src/store/ledger.ts";
import { openWorld, pass, usage, type World } from "../world.ts";
import {
  approvedAndMerged,
  certified,
  cloneOf,
  fed,
  git,
  headOf,
  ledgerLines,
  mergeByHand,
  released,
} from "./merged.ts";
import { readOutput } from "../../src/workflows/output.ts";
import { jsonSchemaOf, mutantsOf, placeOf, placesOf } from "./mutations.ts";

const limitMs = 240_000;
const schema = jsonSchemaOf(certificateSchema);
let world: World;
let ledger: readonly string[];
let clonePath: string;
let real: OpenClone;
let clone: Clone;
/** By an approval, by the label after a verdict with findings, and by hand without a review. */
let merged: readonly Certified[];

beforeAll(async () => {
  const polish = { title: "name it better", body: "", grade: "polish", path: null, line: null, kind: null };
  world = await openWorld({
    scenes: [
      {
        role: "review",
        prompt: "Write src/tested.test.ts",
        steps: [usage, { answer: { ...pass, findings: [polish] } }],
      },
      {
        role: "build",
        prompt: "Write src/tested.test.ts",
        steps: [usage, { write: { path: "package-lock.json", text: "{}\n" } }, { done: "locked" }],
      },
    ],
  });
  const { people } = world;
  const first = await approvedAndMerged(world);
  // Only lockfiles change, which a gate wants a person for.
  const second = people.openIssue({ by: "bob", title: "Lock", body: "Write src/tested.test.ts." });
  people.label(second, "agent-ready", "bob");
  await world.untilState(second, "In Review");
  await world.settled();
  await people.approve(await world.pullOf(second), "ada");
  await world.untilState(second, "Done");
  await world.settled();
  const third = people.openIssue({ by: "bob", title: "Say more", body: "Write src/done.txt again." });
  world.scenes([
    { role: "build", steps: [usage, { write: { path: "src/more.txt", text: "more\n" } }, { done: "more" }] },
  ]);
  for (const label of ["auto-merge", "agent-ready"]) people.label(third, label, "ada");
  await world.untilState(third, "Done");
  await world.settled();
  world.scenes([
    { role: "build", steps: [usage, { write: { path: "src/hand.txt", text: "hand\n" } }, { done: "hand" }] },
  ]);
  const fourth = released(world);
  await world.untilState(fourth, "In Review");
  await world.settled();
  const pull = await world.pullOf(fourth);
  world.hub.courier.deliver = (delivery) => (delivery.action === "closed" ? [delivery] : []);
  await people.push(people.thread(pull).pull?.headRef ?? "", "ada", { "src/unseen.txt": "unseen\n" });
  await mergeByHand(world, pull, "ada");
  await world.untilState(fourth, "Done");
  world.hub.courier.deliver = undefined;
  await world.settled();
  merged = await Promise.all([first, second, third, fourth].map((issue) => certified(world, issue)));
  expect(merged[3]?.certificate.head).toBe(headOf(world, pull));
  ledger = await ledgerLines(world);
  clonePath = await cloneOf(world, "clone");
  const opened = await openClone(clonePath, process.env["PATH"] ?? "");
  if (opened === undefined) throw new Error("no clone");
  real = opened;
  clone = remembering(opened);
}, limitMs);
afterAll(async () => {
  await real.close();
  await world.close();
});

/** Git is asked each thing once: nothing it says changes here. */
function remembering(asked: Clone): Clone {
  const known = new Map<string, Promise<unknown>>();
  const once =
    <Args extends readonly unknown[], Result>(name: string, ask: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> => {
      const key = JSON.stringify([name, ...args]);
      const answer = (known.get(key) as Promise<Result> | undefined) ?? ask(...args);
      known.set(key, answer);
      return answer;
    };
  return {
    path: asked.path,
    commit: once("commit", asked.commit),
    merged: once("merged", asked.merged),
    fork: once("fork", asked.fork),
    between: once("between", asked.between),
    picked: once("picked", asked.picked),
  };
}

async function faultsOf(
  handed: unknown,
  over: {
    readonly ledger?: readonly string[];
    readonly clone?: Clone;
    readonly anchors?: readonly { readonly seq: number; readonly hash: string }[];
  } = {},
): Promise<readonly Fault[]> {
  const read = readHanded(handed);
  if (!("certificate" in read)) return read;
  const sources = {
    clone: over.clone ?? clone,
    ledger: fed(over.ledger ?? ledger),
    anchors: over.anchors ?? [],
  };
  return (await verifyCertificate(read, sources)).faults;
}

const nth = (index: number): Certified => {
  const found = merged[index];
  if (found === undefined) throw new Error(`no merge ${index}`);
  return found;
};

describe("a certificate", () => {
  test("holds as it was made, alone or with its hash", async () => {
    for (const one of merged) {
      expect(await faultsOf(one)).toEqual([]);
      expect(await faultsOf(one.certificate)).toEqual([]);
      expect(await faultsOf({ schema: "certificate/1", data: one, error: null })).toEqual([]);
    }
  });

  test("with any field altered is refused by the name of that field", { timeout: limitMs }, async () => {
    const altered = new Set<string>();
    let count = 0;
    for (const { certificate } of merged) {
      for (const { path, how, value } of mutantsOf(schema, certificate)) {
        const name = path.join(".");
        const fields = (await faultsOf(value)).map(({ field }) => field);
        const isNamed = fields.some(
          (field) => `${field}.`.startsWith(`${name}.`) || `${name}.`.startsWith(`${field}.`),
        );
        if (!isNamed) expect({ name, how, fields }).toBeUndefined();
        altered.add(placeOf(path));
        count += 1;
      }
    }
    console.log(`${count} altered certificates refused`);
    expect(placesOf(schema).filter((place) => !altered.has(place))).toEqual([]);
  });

  test("is refused with another hash, or with other findings than those it holds the hash of", async () => {
    const { certificate, hash } = nth(1);
    expect(certificate.review?.evidence?.findings).toMatchObject({ polish: 1 });
    // As the run left them, with the identity they got there.
    const [run = ""] = (await world.forgehand.store.linesOf(certificate.ticket)).flatMap(({ event }) =>
      event.type === "review.passed" ? [event.run] : [],
    );
    const findings = readOutput((await world.forgehand.engine.run(run))?.output)?.findings ?? [];
    expect(findings).toMatchObject([{ title: "name it better", grade: "polish" }]);
    expect(await faultsOf({ certificate, hash, findings })).toEqual([]);
    const fieldsOf = async (handed: unknown) => (await faultsOf(handed)).map(({ field }) => field);
    expect(await fieldsOf({ certificate, hash: "0".repeat(64) })).toEqual(["hash"]);
    expect(await fieldsOf({ certificate, hash, findings: [] })).toEqual(["findings"]);
    expect(await fieldsOf({ certificate, findings: [{ ...findings[0], body: "x" }] })).toEqual(["findings"]);
  });

  test("of one merge does not pass for another's", async () => {
    const [one, other] = [nth(0).certificate, nth(2).certificate];
    const fields = (await faultsOf({ ...one, ledger: other.ledger })).map(({ field }) => field);
    expect(fields).toEqual(["ledger.line"]);
  });
});

describe("a ledger", () => {
  const rowsOf = (lines: readonly string[]): readonly LineRow[] =>
    lines.slice(1, -1).map((line) => JSON.parse(line) as LineRow);

  test("is refused when any column of any line is altered", { timeout: limitMs }, async () => {
    const { certificate } = nth(0);
    for (const [index, row] of rowsOf(ledger).entries()) {
      for (const [column, value] of Object.entries(row)) {
        const other = typeof value === "number" ? value + 1 : value === null ? "admin" : `${String(value)} `;
        const lines = ledger.with(index + 1, JSON.stringify({ ...row, [column]: other }));
        const [fault] = await faultsOf(certificate, { ledger: lines });
        if (fault?.field !== "ledger" || fault.do === undefined)
          expect({ index, column, fault }).toBeUndefined();
      }
    }
  });

  test.each([
    ["its first lines", (lines: readonly string[]) => lines.toSpliced(1, 2), "it begins with line 3"],
    ["a line in the middle", (lines: readonly string[]) => lines.toSpliced(5, 1), "line 5 is missing"],
    ["its end", (lines: readonly string[]) => lines.slice(0, -1), "without its end"],
    ["its beginning", (lines: readonly string[]) => lines.slice(1), "does not begin as an export"],
    ["everything", () => [], "it was cut"],
  ])("is refused without %s, and told what to type", async (_, cut, why) => {
    const [fault] = await faultsOf(nth(0).certificate, { ledger: cut(ledger) });
    expect(fault?.why).toContain(why);
    expect(fault?.do).toContain("forgehand ledger export");
  });

  test("that ends whole before the certificate was made is told from one that was altered", async () => {
    const upTo = (seq: number): readonly string[] => {
      const rows = rowsOf(ledger).slice(0, seq);
      const end = { lines: seq, hash: rows.at(-1)?.hash };
      return [ledger[0] ?? "", ...rows.map((row) => JSON.stringify(row)), JSON.stringify({ end })];
    };
    const { certificate } = nth(3);
    const older = await faultsOf(certificate, { ledger: upTo(certificate.ledger.line - 1) });
    expect(older[0]).toMatchObject({ field: "ledger.line", do: "forgehand ledger export > ledger.ndjson" });
    const unsealed = await faultsOf(certificate, { ledger: upTo(certificate.ledger.line) });
    expect(unsealed[0]?.why).toContain("seals a certificate");
    expect(unsealed[0]?.do).toContain("forgehand ledger export");
  });

  /** As somebody forges who knows how it is made: every hash from there on is right again. */
  const forged = (seq: number, change: (row: LineRow) => LineRow): readonly string[] => {
    let prev = genesis;
    const rows = rowsOf(ledger).map((row) => {
      const next = { ...(row.seq === seq ? change(row) : row), prev };
      prev = hashOf(next);
      return { ...next, hash: prev };
    });
    const end = { lines: rows.length, hash: prev };
    return [ledger[0] ?? "", ...rows.map((row) => JSON.stringify(row)), JSON.stringify({ end })];
  };

  test("that was forged as a whole does not fit the certificate, at any line before the merge", async () => {
    const { certificate } = nth(0);
    for (const { seq } of rowsOf(ledger)) {
      if (seq >= certificate.ledger.line) break;
      const fields = (
        await faultsOf(certificate, { ledger: forged(seq, (row) => ({ ...row, actor: "mallory" })) })
      ).map(({ field }) => field);
      expect(fields).toContain("ledger.hash");
    }
  });

  test("that was forged together with the certificate does not fit what a check run anchors", async () => {
    const last = rowsOf(ledger).at(-1);
    const anchors = [{ seq: last?.seq ?? 0, hash: last?.hash ?? "" }];
    expect(await faultsOf(nth(0).certificate, { anchors })).toEqual([]);
    const [fault] = await faultsOf(nth(0).certificate, {
      ledger: forged(2, (row) => ({ ...row, actor: "mallory" })),
      anchors,
    });
    expect(fault?.why).toContain("anchored elsewhere");
    // Of two that cannot both be right, the right one does not hide the other.
    const [other] = await faultsOf(nth(0).certificate, {
      anchors: [{ seq: last?.seq ?? 0, hash: "0".repeat(64) }, ...anchors],
    });
    expect(other?.why).toContain("anchored elsewhere");
    const [cut] = await faultsOf(nth(0).certificate, { anchors: [{ seq: 9_999, hash: "0".repeat(64) }] });
    expect(cut?.why).toContain("line 9999 is anchored elsewhere");
  });

  test("with a line that holds no event is refused", async () => {
    const { certificate } = nth(0);
    const { ledger: merge } = certificate;
    for (const event of ["null", "[]", "7", "{}"]) {
      const lines = forged(merge.line - 1, (row) => ({ ...row, ticket: certificate.ticket, event }));
      expect(await faultsOf(certificate, { ledger: lines })).toMatchObject([
        { field: "ledger", why: `line ${merge.line - 1} does not hold an event and a policy` },
      ]);
    }
  });

  test("whose seal or verdict does not come out again is refused though its chain holds", async () => {
    const { certificate } = nth(0);
    const evil = (type: string, from: string, to: string): readonly string[] =>
      forged(
        rowsOf(ledger).find((row) => row.ticket === certificate.ticket && row.event.includes(`"${type}"`))
          ?.seq ?? 0,
        (row) => ({ ...row, event: row.event.replace(from, to) }),
      );
    const fieldsWith = async (lines: readonly string[]) =>
      (await faultsOf(certificate, { ledger: lines })).map(({ field }) => field);
    expect(await fieldsWith(evil("review.passed", "gpt-5.5", "claude-opus-5-5"))).toContain(
      "review.evidence.reviewers.0.models.0",
    );
    expect(
      await fieldsWith(evil("review.passed", `"polishBlocks\\":false`, `"polishBlocks\\":true`)),
    ).toContain("ledger.hash");
    expect(await fieldsWith(evil("merge.certified", '"facts":{', '"facts":{"surplus":1,'))).toEqual([
      "ledger",
    ]);
    expect(await fieldsWith(evil("merge.certified", '"guessed":false', '"guessed":true'))).toEqual([
      "cost.guessed",
      "ledger",
    ]);
  });
});

describe("a clone", () => {
  const opened = async (path: string): Promise<OpenClone> => {
    const found = await openClone(path, process.env["PATH"] ?? "");
    if (found === undefined) throw new Error(`no clone at ${path}`);
    return found;
  };

  test("without the commits is refused with the line that fetches them", async () => {
    const path = await cloneOf(world, "pruned");
    const { certificate } = nth(3);
    // What a person has who cloned after the branch was deleted.
    await git(path, "update-ref", "-d", `refs/heads/forgehand/${certificate.ref.split("#")[1]}-say-done`);
    await git(path, "reflog", "expire", "--expire=now", "--all");
    await git(path, "gc", "-q", "--prune=now");
    const pruned = await opened(path);
    const [fault, ...more] = await faultsOf(certificate, { clone: pruned });
    expect(more).toEqual([]);
    expect(fault).toMatchObject({ field: "clone", why: `${path} lacks head ${certificate.head}` });
    expect(fault?.do).toContain(`git -C ${path} fetch origin ${certificate.head}`);
    await pruned.close();
  });

  test("is neither written to nor asked for its settings", async () => {
    const path = await cloneOf(world, "hostile");
    const marker = `${path}/marker`;
    await git(path, "config", "core.fsmonitor", `touch ${marker}`);
    await git(path, "config", "merge.evil.driver", `touch ${marker}`);
    await git(path, "config", "log.showSignature", "true");
    await git(path, "config", "gpg.program", `touch ${marker}`);
    const objects = await git(path, "count-objects", "-v");
    const hostile = await opened(path);
    expect(await faultsOf(nth(0), { clone: hostile })).toEqual([]);
    await hostile.close();
    expect(await git(path, "count-objects", "-v")).toBe(objects);
    expect(existsSync(marker)).toBe(false);
  });

  test("in a worktree of its own serves as well, and a folder without a repository does not", async () => {
    await git(clonePath, "worktree", "add", "-q", "--detach", `${world.dir}/tree`, "main");
    const tree = await opened(`${world.dir}/tree`);
    expect(await faultsOf(nth(0), { clone: tree })).toEqual([]);
    await tree.close();
    expect(await openClone(world.dir, process.env["PATH"] ?? "")).toBeUndefined();
  });
});
