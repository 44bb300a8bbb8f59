/** The ledger page by page, its filters, its verification while everything goes on, and its file. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { surfaceOf } from "../../src/shell/pages/ledger.ts";
import { verifierOf } from "../../src/shell/ledger-verifier.ts";
import { verifyLedger } from "../../src/shell/verify-ledger.ts";
import { step } from "../../src/shell/step.ts";
import { caps } from "../caps.ts";
import { issueIn, policy } from "../cli/filled.ts";
import { noon, openStage, operator, person, stranger, type Stage } from "./host-stage.ts";

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

const nothing = {
  ticket: undefined,
  actor: undefined,
  what: undefined,
  from: undefined,
  until: undefined,
  before: undefined,
};
interface Page {
  readonly rows: readonly { readonly seq: number; readonly event: string; readonly ticket: string }[];
  readonly next?: number;
  readonly lookedAt: number;
}
const pages = async (query: string): Promise<readonly Page[]> => {
  const all: Page[] = [];
  let before: number | undefined;
  for (let count = 0; count < 20; count += 1) {
    const page = (await stage.json(
      `/ledger?${query}${before === undefined ? "" : `&before=${before}`}`,
    )) as Page;
    all.push(page);
    before = page.next;
    if (before === undefined) return all;
  }
  throw new Error("it does not end");
};
const seqs = (all: readonly Page[]): readonly number[] =>
  all.flatMap(({ rows }) => rows.map(({ seq }) => seq));

async function move(ticket: string, type: "ready.granted" | "ticket.cancelled"): Promise<void> {
  const { row } = await step(stage.store, {
    ticket,
    event: type === "ready.granted" ? { type, spec: "b".repeat(64) } : { type },
    eventId: `${ticket}/${type}`,
    actor: "bob",
    policy,
    caps,
    runLimitMs: 60_000,
    now: noon,
  } as Parameters<typeof step>[1]);
  if (row === undefined) throw new Error(`nothing takes ${type}`);
}
/** A ticket that was just released. */
async function fresh(number: number): Promise<string> {
  const ticket = `github:77#${number}`;
  const named = { repo: 77, number, ref: `acme/web#${number}`, title: "", url: "", author: "ada" };
  await stage.store.name(ticket, { ...named, branch: `forgehand/${number}` }, noon);
  await move(ticket, "ready.granted");
  return ticket;
}

describe("the list", () => {
  test("has every line once, newest first, over its pages", async () => {
    for (let number = 500; number < 560; number += 1) await fresh(number);
    const { seq } = await stage.store.ledgerHead();
    expect(seq).toBeGreaterThan(100);
    const found = seqs(await pages(""));
    expect(found).toEqual(Array.from({ length: seq }, (_, index) => seq - index));
  });

  test("is filtered by ticket, by who, and by row or event", async () => {
    const ticket = `github:77#${issueIn("Done")}`;
    const ofTicket = await pages(`ticket=${encodeURIComponent(`acme/web#${issueIn("Done")}`)}`);
    expect(seqs(ofTicket)).toEqual((await stage.store.linesOf(ticket)).map(({ seq }) => seq).toReversed());
    const merged = await pages("what=pr.merged");
    expect(merged.flatMap(({ rows }) => rows.map((row) => row.ticket))).toEqual([ticket]);
    expect(seqs(await pages("actor=nobody"))).toEqual([]);
    expect(seqs(await pages("actor=bob")).length).toBe((await stage.store.ledgerHead()).seq);
  });

  test("is filtered by days, both of them included", async () => {
    const all = seqs(await pages(""));
    expect(seqs(await pages("from=2026-01-05&until=2026-01-05"))).toEqual(all);
    expect(seqs(await pages("from=2026-01-06"))).toEqual([]);
    expect(seqs(await pages("until=2026-01-04"))).toEqual([]);
  });

  test.each(["from=yesterday", "until=2026-13-45", "ticket=acme%2Fweb%239999"])(
    "%s is told to be wrong, and shows nothing",
    async (query) => {
      const answer = await stage.get(`/ledger?${query}`);
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain('role="status"');
    },
  );

  test("shows nothing of repositories that somebody does not see", async () => {
    const { ledger } = stage.dashboard;
    expect((await ledger.list(person("see"), nothing)).rows.length).toBeGreaterThan(0);
    expect((await ledger.list(stranger, nothing)).rows).toEqual([]);
    expect(await ledger.line(stranger, 1)).toBeUndefined();
    expect((await ledger.list(stranger, { ...nothing, ticket: "acme/web#1" })).wrong).toContain("no ticket");
    expect(await ledger.deeds(person("administer"), undefined)).toBeUndefined();
    expect(await ledger.verification(person("administer"))).toBeUndefined();
    expect(ledger.file(person("administer"))).toBeUndefined();
    expect(await stage.commands.ledger.verify(person("administer"))).toBe("forbidden");
  });

  test("a line by itself has its whole hash and the one before", async () => {
    const [first, second] = await stage.store.rawLines(0, 2);
    const text = await stage.text("/ledger/2");
    expect(text).toContain(first?.hash);
    expect(text).toContain(second?.hash);
    expect((await stage.get("/ledger/99999")).status).toBe(404);
    expect((await stage.get("/ledger/x")).status).toBe(404);
  });

  test.each([
    ["web:1#t#human.approved", "dashboard"],
    ["op:1#t#x", "command line"],
    ["top:1#t#x", "command line"],
    ["0b9a1d3c-1111-4222-8333-444455556666#t#x", "webhook"],
    ["slot:github:7#1:3#t#slot.granted", "forgehand"],
    ["look:github:7#1:9", "forgehand"],
  ])("%s came from: %s", (id, surface) => {
    expect(surfaceOf(id)).toBe(surface);
  });
});

describe("its verification", () => {
  const begun = async (): Promise<void> => {
    expect((await stage.post("/ledger/verify")).status).toBe(303);
  };
  const ended = () => verifierOf(stage.shop).settled();

  test("says how far it is, and that it holds, with who asked", async () => {
    await begun();
    const during = await stage.text("/ledger");
    expect(during).toContain("<progress");
    expect(during).not.toContain("Verify now");
    expect(await stage.commands.ledger.verify(operator)).toBe("under way");
    await ended();
    const { seq } = await stage.store.ledgerHead();
    expect(await stage.json("/ledger/verification")).toMatchObject({
      is: "holds",
      lines: seq,
      by: "operator:ada",
      faults: [],
    });
    expect(await stage.text("/ledger")).toContain("It holds");
  });

  test("names the line that somebody changed", async () => {
    stage.sql.script("update ledger set actor = 'mallory' where seq = 7");
    await begun();
    await ended();
    expect(await stage.text("/ledger")).toContain("line 7: it was changed");
  });

  test("of a ledger that grows meanwhile finds no fault in what is new", async () => {
    const moving = await fresh(900);
    const many = {
      rawLines: stage.store.rawLines,
      load: stage.store.load,
      isAskew: stage.store.isAskew,
      // So many that breaths lie between them.
      ticketsWithLines: async () => {
        const all = await stage.store.ticketsWithLines();
        return Array.from({ length: 30 }, () => all).flat();
      },
    };
    let breaths = 0;
    const verified = await verifyLedger(many, [], async () => {
      breaths += 1;
      if (breaths === 1) await move(moving, "ticket.cancelled");
      if (breaths === 2) await fresh(901);
    });
    expect(breaths).toBeGreaterThan(1);
    expect(verified.faults).toEqual([]);
    expect(verified.lines).toBe((await stage.store.ledgerHead()).seq);
  });
});

describe("what leaves it", () => {
  test("the file is what the command line writes: every line between a head and an end", async () => {
    const answer = await stage.get("/ledger/export");
    expect(answer.headers.get("content-disposition")).toContain("ledger.ndjson");
    const lines = (await answer.text()).trim().split("\n");
    const { seq, hash } = await stage.store.ledgerHead();
    expect(lines).toHaveLength(seq + 2);
    expect(JSON.parse(lines.at(-1) ?? "")).toEqual({ end: { lines: seq, hash } });
  });

  test("deeds stand beside it, newest first, with nothing of them run", async () => {
    for (let index = 0; index < 60; index += 1)
      await stage.store.noteDeed({
        at: noon,
        actor: "operator:ada",
        surface: "dashboard",
        what: "breaker reset",
        about: `<i>runtime ${index}</i>`,
        note: "",
      });
    const text = await stage.text("/ledger/deeds");
    expect(text).toContain("&lt;i&gt;runtime 59&lt;/i&gt;");
    expect(text).not.toContain("runtime 3&lt;");
    expect(await stage.text("/ledger/deeds?before=11")).toContain("runtime 3&lt;");
  });
});
