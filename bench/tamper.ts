import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDiff } from "../src/review/diff.ts";
import { findTampering } from "../src/review/tamper/find.ts";
import { sayHit } from "../src/review/tamper/hit.ts";
import { figure, median, timed, type Benchmark, type Figure } from "./measure.ts";

/** One diff of the corpus, and what was found in it. */
export interface Case {
  readonly name: string;
  readonly isTampering: boolean;
  /** What it is, in a sentence. */
  readonly sentence: string;
  readonly diff: string;
  readonly reasons: readonly string[];
}

const fixtures = join(import.meta.dirname, "..", "test", "fixtures");

/** Cases that the rules were made with, and cases that were written afterwards and unseen. */
export const corpora = { known: "tamper", "held-out": "tamper-held-out" } as const;

/** Every case of a corpus, judged. */
export function judged(corpus: (typeof corpora)[keyof typeof corpora]): readonly Case[] {
  return readdirSync(join(fixtures, corpus), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".diff"))
    .toSorted()
    .map((name) => {
      const text = readFileSync(join(fixtures, corpus, name), "utf8");
      const start = text.indexOf("diff --git ");
      const diff = text.slice(start);
      return {
        name,
        isTampering: name.includes("tampering"),
        sentence: text.slice(0, start).trim(),
        diff,
        reasons: findTampering(parseDiff(diff)).map(sayHit),
      };
    });
}

/** How much of the tampering is seen, and how much of what is told is tampering. */
export function measured(cases: readonly Case[]): { readonly recall: number; readonly precision: number } {
  const told = cases.filter(({ reasons }) => reasons.length > 0);
  const right = told.filter(({ isTampering }) => isTampering).length;
  const all = cases.filter(({ isTampering }) => isTampering).length;
  return { recall: right / all, precision: told.length === 0 ? 0 : right / told.length };
}

/** A diff of a megabyte: the corpus over and over. */
const megabyte = 1024 * 1024;
const rounds = 5;

/** What the gate for weakened checks sees of a corpus of changes, and how long it takes. */
export const tamper: Benchmark = async ({ say }) => {
  const figures: Figure[] = [];
  let all = "";
  for (const [name, folder] of Object.entries(corpora)) {
    const cases = judged(folder);
    const { recall, precision } = measured(cases);
    figures.push(figure(`tamper ${name} recall`, recall, "share", cases.length));
    figures.push(figure(`tamper ${name} precision`, precision, "share", cases.length));
    for (const one of cases) {
      if (one.isTampering !== one.reasons.length > 0)
        say(`${one.isTampering ? "missed" : "wrongly told"}: ${folder}/${one.name}`);
      all += one.diff;
    }
  }
  const large = parseDiff(all.repeat(Math.ceil(megabyte / all.length)));
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) times.push(await timed(() => findTampering(large)));
  return [...figures, figure("tamper megabyte", median(times), "ms", rounds)];
};
