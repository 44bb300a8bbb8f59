import { expect, test } from "vitest";
import type { TicketFacts } from "../ports.ts";
import { updateWanted } from "./interpret-self-update.ts";

const integrity = `sha512-${"aB3/+".repeat(17)}Q==`;
const sender = (login: string, kind: "person" | "bot" = "person") => ({ login, id: 1, kind });
const facts = (body: string) => ({
  operators: ["Opal"],
  // Only its text is read.
  issue: { body } as TicketFacts,
  spec: "s",
});
const pinned = `version: 1.2.3\nintegrity: ${integrity}`;

test.for([
  ["plain lines", pinned],
  ["a list with code", `Update, please.\n\n- version: \`1.2.3\`\n- integrity: \`${integrity}\`\n`],
  ["bold words and CRLF", `**Version:** v1.2.3\r\n**Integrity:** ${integrity}\r\n`],
] as const)("an operator's label counts for %s", ([, body]) => {
  expect(updateWanted(sender("opal"), "s", facts(body))).toEqual({ version: "1.2.3", integrity, by: "opal" });
});

test.for([
  ["nobody pinned a hash", "version: 1.2.3"],
  ["a range is no version", `version: ^1.2.3 || 2\nintegrity: ${integrity}`],
  ["a tag is no version", `version: latest\nintegrity: ${integrity}`],
  ["sha1 is no hash to trust", "version: 1.2.3\nintegrity: sha1-abc="],
  ["two versions are none", `${pinned}\nversion: 1.2.4`],
  ["two hashes are none", `${pinned}\nintegrity: ${integrity}`],
] as const)("%s", ([, body]) => {
  expect(updateWanted(sender("opal"), "s", facts(body))).toEqual({ refused: "text wrong", by: "opal" });
});

test("nobody else may, a bot of that name neither, and no text that was changed or is unknown", () => {
  expect(updateWanted(sender("ada"), "s", facts(pinned))).toMatchObject({ refused: "no operator" });
  expect(updateWanted(sender("opal", "bot"), "s", facts(pinned))).toMatchObject({ refused: "no operator" });
  expect(updateWanted(sender("opal"), "s", { ...facts(pinned), operators: undefined })).toMatchObject({
    refused: "no operator",
  });
  expect(updateWanted(sender("opal"), "t", facts(pinned))).toMatchObject({ refused: "text changed" });
  expect(updateWanted(sender("opal"), undefined, facts(pinned))).toMatchObject({ refused: "text changed" });
});
