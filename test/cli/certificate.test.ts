/** The commands as they ship, on what a merge left behind. */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { approvedAndMerged, cloneOf } from "../certificate/merged.ts";
import { openWorld, type World } from "../world.ts";
import { run, type Ended } from "./run.ts";

let world: World;
let issue: number;
let dir: string;
const file = (name: string): string => join(dir, name);
const forgehand = (...argv: string[]): Promise<Ended> =>
  run(argv, { FORGEHAND_DATABASE: join(world.dir, "data", "forgehand.db") });
const verify = (...argv: string[]): Promise<Ended> =>
  // Neither database nor settings: what is verified may be anybody's.
  run(["certificate", "verify", file("certificate.json"), ...argv]);
const usual = (): string[] => ["--clone", file("clone"), "--ledger", file("ledger.ndjson")];

beforeAll(async () => {
  world = await openWorld();
  dir = world.dir;
  issue = await approvedAndMerged(world);
  await cloneOf(world, "clone");
  const shown = await forgehand("certificate", "show", String(issue), "--json");
  writeFileSync(file("certificate.json"), shown.out);
  await forgehand("ledger", "export", "--out", file("ledger.ndjson"));
}, 120_000);
afterAll(() => world.close());

interface Shown {
  schema: string;
  data: { certificate: { merge: { commit: string } }; hash: string; findings: unknown[] };
}
const shownNow = (): Shown => JSON.parse(readFileSync(file("certificate.json"), "utf8")) as Shown;

test("a certificate is shown to people and to programs, and points to what verifies it", async () => {
  const { code, out, err } = await forgehand("certificate", "show", `acme/web#${issue}`);
  expect(code).toBe(0);
  expect(out).toContain(`acme/web#${issue}: certificate ${shownNow().data.hash}`);
  expect(out).toContain("released        bob (write)");
  expect(out).toContain("consent         approval by bob (write)");
  expect(out).toContain("codex on gpt-5.5 (openai)");
  expect(err).toContain("forgehand certificate verify");
  expect(shownNow()).toMatchObject({ schema: "certificate/1", data: { findings: [] } });
});

test("it holds offline, with an anchor too, and strictly because nothing is missing", async () => {
  const { code, out, err } = await verify(...usual());
  expect(err).toContain("--anchor");
  expect(out).toContain("The certificate holds");
  expect(code).toBe(0);
  const last = readFileSync(file("ledger.ndjson"), "utf8").trimEnd().split("\n").at(-2);
  const { seq, hash } = JSON.parse(last ?? "") as { seq: number; hash: string };
  const strict = await verify(...usual(), "--strict", "--anchor", `${seq}:${hash}`, "--json");
  expect(JSON.parse(strict.out)).toMatchObject({
    schema: "certificate-verify/1",
    data: { holds: true, faults: [], gaps: [], head: { seq, hash } },
  });
  expect(strict.code).toBe(0);
  expect((await verify(...usual(), "--anchor", `${seq}:${"0".repeat(64)}`)).code).toBe(1);
});

test("the export to stdout is the export to a file", async () => {
  const { out, code } = await forgehand("ledger", "export");
  expect(code).toBe(0);
  expect(out).toBe(readFileSync(file("ledger.ndjson"), "utf8"));
});

test("an altered field is named, and the exit code says so", async () => {
  const { data } = shownNow();
  const altered = { ...data, certificate: { ...data.certificate, ref: "acme/web#99" } };
  writeFileSync(file("altered.json"), JSON.stringify(altered));
  const { code, out } = await run(["certificate", "verify", file("altered.json"), ...usual()]);
  expect(out).toContain('ref: the certificate says "acme/web#99"');
  expect(code).toBe(1);
  writeFileSync(
    file("surplus.json"),
    JSON.stringify({ ...data, certificate: { ...data.certificate, more: 1 } }),
  );
  const surplus = await run(["certificate", "verify", file("surplus.json"), ...usual(), "--json"]);
  expect(JSON.parse(surplus.out)).toMatchObject({ data: { holds: false, faults: [{ field: "more" }] } });
  expect(surplus.code).toBe(1);
});

test.each([
  [
    "no certificate",
    ["nothing.json", "clone", "ledger.ndjson"],
    5,
    "forgehand certificate show TICKET --json",
  ],
  ["no JSON", ["README.md", "clone", "ledger.ndjson"], 4, "is no JSON"],
  ["no ledger", ["certificate.json", "clone", "nothing.ndjson"], 5, "forgehand ledger export --out"],
  ["a folder for a ledger", ["certificate.json", "clone", "clone"], 5, "forgehand ledger export --out"],
  ["no clone", ["certificate.json", "nothing", "ledger.ndjson"], 5, "git clone http://"],
])("with %s it says what to type", async (_, [certificate = "", clone = "", ledger = ""], exit, hint) => {
  writeFileSync(file("README.md"), "# no JSON\n");
  const { code, err } = await run([
    "certificate",
    "verify",
    file(certificate),
    "--clone",
    file(clone),
    "--ledger",
    file(ledger),
  ]);
  expect(err).toContain(hint);
  expect(code).toBe(exit);
});

test("a ledger that was cut is refused, and told how to get a whole one", async () => {
  const lines = readFileSync(file("ledger.ndjson"), "utf8").trimEnd().split("\n");
  copyFileSync(file("ledger.ndjson"), file("cut.ndjson"));
  writeFileSync(file("cut.ndjson"), `${lines.slice(0, -2).join("\n")}\n`);
  const { code, out } = await verify("--clone", file("clone"), "--ledger", file("cut.ndjson"));
  expect(out).toContain("it was cut");
  expect(out).toContain("forgehand ledger export");
  expect(code).toBe(1);
});

test("a ticket that was not merged has none, and says where to look", async () => {
  const { people } = world;
  const other = people.openIssue({ by: "bob", title: "Later", body: "Not yet." });
  people.label(other, "forgehand:do-not-dispatch", "bob");
  await world.settled();
  const { code, err } = await forgehand("certificate", "show", `acme/web#${other}`);
  expect(err).toContain("was not merged; see `forgehand explain");
  expect(code).toBe(5);
});
