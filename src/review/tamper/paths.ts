import { csharp, go, java, rust } from "./languages-compiled.ts";
import { javascript, other, python, ruby } from "./languages-script.ts";
import type { Language } from "./language.ts";

const languages: readonly (readonly [RegExp, Language])[] = [
  [/\.(?:[cm]?[jt]sx?|vue|svelte|astro)$/iu, javascript],
  [/\.pyi?$/iu, python],
  [/\.go$/iu, go],
  [/\.rs$/iu, rust],
  [/\.(?:java|kts?|groovy|scala)$/iu, java],
  [/\.(?:cs|fs|vb)$/iu, csharp],
  [/\.(?:rb|rake)$/iu, ruby],
  [/\.(?:swift|php|c|cc|cpp|cxx|h|hpp|exs?|erl|m|mm|dart|lua|zig|ml|hs|clj)$/iu, other],
];

/** The language of a program; undefined for what is none. */
export const languageOf = (path: string): Language | undefined =>
  languages.find(([files]) => files.test(path))?.[1];

const test =
  /(?:^|\/)(?:tests?|__tests__|specs?|e2e|[\w.-]{1,60}[._-]tests?|src\/(?:test|it|androidTest|integrationTest)|cypress)\/|\.(?:test|spec|cy|e2e)\.[cm]?[jt]sx?$|(?:^|\/)(?:test_[^/]*|[^/]*_tests?|conftest)\.py$|_(?:test|spec)\.(?:go|py|rb|exs?|cc|cpp|dart)$|(?:^|\/)(?:test|spec)_helper\.rb$|(?:Tests?|IT|Spec|TestCase)\.(?:java|kts?|groovy|scala|cs|fs|swift|php)$|(?:^|\/)Test[A-Z]\w{0,80}\.(?:java|kt)$|(?:^|\/)(?:tests?|specs?)\.(?:[jt]s|py|rs)$/u;
const snapshot =
  /(?:^|\/)(?:__snapshots__|__image_snapshots__|snapshots)\/|\.(?:snap(?:shot)?|ambr|approved\.\w{1,10}|verified\.\w{1,10})$/u;
const golden =
  /(?:^|\/)(?:testdata|goldens?|golden-files|__fixtures__|cassettes)\/|(?:^|\/)(?:tests?|specs?|__tests__)\/(?:[^/]{1,80}\/){0,6}(?:fixtures?|expected|expectations|data|resources)\/|\.golden(?:\.\w{1,10})?$|(?:^|\/)expected[^/]*\.(?:json|txt|ya?ml|csv|xml|html|out)$|\.expected$|src\/test\/resources\//u;
const doc = /\.(?:mdx?|rst|adoc|txt)$|(?:^|\/)(?:docs?|LICENSE|CHANGELOG|AUTHORS|NOTICE)(?:\/|$|\.)/iu;

/** What a file is for, as far as its path tells. */
export type Kind = "snapshot" | "golden" | "test" | "doc" | "program" | "data";

export function kindOf(path: string): Kind {
  if (snapshot.test(path)) return "snapshot";
  if (golden.test(path)) return "golden";
  if (languageOf(path) !== undefined) return test.test(path) ? "test" : "program";
  return doc.test(path) ? "doc" : "data";
}

/** Whether a runner would look for tests here. */
export const isTestPath = (path: string): boolean => kindOf(path) === "test";

/** `shop/test_pricing.py`, `PricingTest.java` and `pricing.spec.ts` are all about `pricing`. */
export function subjectOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.[^.]{1,8}$/u, "");
  return plain(
    name
      .replace(/\.(?:test|spec|cy|e2e|integration|unit)(?=\.|$)/gu, "")
      .replace(/^test_|_(?:test|spec|tests)$|(?:Tests?|IT|Spec|TestCase)$/gu, "")
      .replace(/^Test(?=[A-Z])/u, ""),
  );
}

/** Spelling aside, the same name: `price-service`, `price_service`, `PriceService`. */
export const plain = (name: string): string => name.replace(/[^A-Za-z0-9]/gu, "").toLowerCase();
