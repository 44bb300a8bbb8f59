import { readFileSync, readdirSync } from "node:fs";

const readers = [
  { folder: "../../src/adapters/", file: /^github.*\.ts$/ },
  { folder: "../../src/webhooks/", file: /^read-.*\.ts$/ },
];

/** Names of addresses that our own code reads: those must be there. */
export const readAddresses: ReadonlySet<string> = new Set(
  readers.flatMap(({ folder, file }) => {
    const place = new URL(folder, import.meta.url);
    return readdirSync(place)
      .filter((name) => file.test(name) && !name.includes(".test."))
      .flatMap((name) => readFileSync(new URL(name, place), "utf8").match(/\b\w+_url\b/g) ?? []);
  }),
);

/**
 * The one policy of what the simulated forge may leave out although GitHub publishes it as required: addresses
 * (`url`, `*_url`) and the avatar's id, dozens in every user and repository, unless our own code reads them.
 * Everything else that is required must be there; whatever is there must be as published.
 */
export const mayBeMissing = (name: string): boolean =>
  (/(^|_)url$/.test(name) || name === "gravatar_id") && !readAddresses.has(name);

/** Answers GitHub gives to any call, and which its description of an operation does not repeat. */
export const anywhere: ReadonlyMap<number, string> = new Map([
  [401, "a token that is unknown, expired or revoked"],
  [403, "a token that may not do this"],
]);
