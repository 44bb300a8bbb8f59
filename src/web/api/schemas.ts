/** What the API tells and takes, as schemas: requests are judged by them, and the OpenAPI document is made of them. */
import { z } from "zod";
import { waitingKinds } from "../../ports-dashboard.ts";
import { states } from "../../state-machine/ticket.ts";

/** Milliseconds since 1970. */
export const instant = z.int().meta({ description: "Milliseconds since 1970, UTC." });
export const count = z.int().nonnegative();
export const state = z.enum(states).meta({ id: "State", description: "Where a ticket is." });
export const ticketId = z
  .string()
  .meta({ description: "What a ticket is called for ever.", examples: ["github:77#42"] });
export const sha = z.string().meta({ description: "A git commit, in 40 hex digits." });

const can = z.object({ say: z.string(), do: z.string(), leadsTo: z.string().optional() });
const wait = z
  .object({ waitsFor: z.string(), since: instant, nextStep: z.string(), youCan: z.array(can) })
  .meta({ id: "Wait", description: "What a ticket waits for, and what a person can do about it." });

const boardRow = z
  .object({
    ref: z.string(),
    id: ticketId,
    title: z.string(),
    url: z.string(),
    state,
    round: count,
    maxRounds: count,
    since: instant,
    usd: z.number(),
    usdIsGuess: z.boolean(),
    pull: z.int().optional(),
    head: sha.optional(),
    repo: z.string(),
    wait: wait.optional(),
    needsPerson: z.boolean(),
  })
  .meta({ id: "BoardRow" });
const ordered = z.object({ by: z.string(), what: z.string(), at: instant });
const halt = z.object({ by: z.string(), at: instant });
export const waiting = z
  .object({
    items: z.array(
      z.object({
        key: z.string(),
        kind: z.enum(waitingKinds),
        ref: z.string(),
        title: z.string(),
        href: z.string().optional(),
        url: z.string(),
        since: instant,
        usd: z.number().optional(),
        usdIsGuess: z.boolean(),
        why: z.string(),
        youCan: z.array(can),
        ticket: z
          .object({
            id: ticketId,
            state,
            version: count,
            head: sha.optional(),
            round: count,
            maxRounds: count,
            may: z.array(z.string()),
            wantsUsd: z.number().optional(),
            ordered: ordered.optional(),
          })
          .optional(),
      }),
    ),
    next: z.string().optional(),
    halted: halt.optional(),
    now: instant,
  })
  .meta({ id: "Waiting", description: "Everything that a person has to decide or put right." });
export const board = z
  .object({
    rows: z.array(boardRow),
    counts: z.partialRecord(state, count),
    halted: z.object({ by: z.string(), at: instant }).optional(),
    now: instant,
  })
  .meta({
    id: "Board",
    description: "Open tickets, as the page of the board tells them: of a state at most so many.",
  });

const note = { at: instant, actor: z.string(), text: z.string() };
const line = z
  .object({
    seq: count,
    ...note,
    permission: z.string().optional(),
    why: z.string(),
    proofs: z.array(z.object({ name: z.string(), href: z.string().optional() })),
    hash: z.string(),
    from: state,
    to: state,
    row: z.string(),
    run: z.string().optional(),
    usd: z.number().optional(),
  })
  .meta({ id: "Line", description: "One line of a ticket's own ledger." });
export const session = z
  .object({
    id: z.int(),
    run: z.string(),
    cachedTokens: count,
    pricedBy: z.string(),
    priceVersion: z.string(),
    role: z.string(),
    runtime: z.string(),
    model: z.string().optional(),
    inputTokens: count,
    outputTokens: count,
    usd: z.number(),
    usdIsGuess: z.boolean(),
    startedAt: instant,
    endedAt: instant.optional(),
    outcome: z.string().optional(),
  })
  .meta({ id: "Session", description: "One invocation of an agent." });
export const effect = z
  .object({ type: z.string(), state: z.string(), note: z.string() })
  .meta({ id: "Effect", description: "One intention of the machine, and what became of it." });

const evidence = z.object({
  command: z.string(),
  exit: z.int().optional(),
  output: z.string(),
  shows: z.enum(["the finding", "nothing"]),
});
export const finding = z
  .object({
    id: z.string().optional(),
    is: z.enum(["new", "open", "reopened", "late", "dropped"]).optional(),
    blocks: z.boolean().optional(),
    evidence: evidence.optional(),
    by: z.array(z.string()).optional(),
    grade: z.enum(["blocker", "polish", "future"]),
    title: z.string(),
    body: z.string(),
    path: z.string().optional(),
    line: z.int().optional(),
    kind: z.string().optional(),
    symbol: z.string().optional(),
    context: z.string().optional(),
    reproduce: z
      .object({ command: z.string(), exit: z.int().optional(), output: z.string().optional() })
      .optional(),
  })
  .meta({ id: "Finding" });
const settled = z.object({
  id: z.string(),
  is: z.enum(["fixed", "open", "dropped"]),
  why: z.string(),
  path: z.string().optional(),
  line: z.int().optional(),
  unaddressed: z.boolean().optional(),
});
export const round = z
  .object({
    number: count,
    at: instant,
    head: sha,
    verdict: z.enum(["pass", "fail", "blocked"]),
    summary: z.string(),
    reviewer: z.string(),
    findings: z.array(finding),
    earlier: z.array(settled).optional(),
    mediation: z.string().optional(),
  })
  .meta({ id: "Round", description: "One review of one head." });

const upon = z.object({ ticket: ticketId, ref: z.string(), head: sha });
const machine = z
  .object({
    id: ticketId,
    state,
    spec: z.string().optional(),
    runtime: z.string().optional(),
    workflow: z.string().optional(),
    pull: z.int().optional(),
    head: sha.optional(),
    reviewed: sha.optional(),
    approved: sha.optional(),
    autoMerge: z.boolean(),
    needsPerson: sha.optional(),
    checks: z.enum(["unknown", "pending", "green", "red", "none", "doubted"]),
    upon: upon.optional(),
    counters: z.object({ attempts: count, cycles: count, unreviewed: count }),
    run: z.string().optional(),
    runs: count,
    stoppedIn: state.optional(),
    aside: z.string().optional(),
    wantsUsd: z.number().optional(),
    allowance: z.number().optional(),
    halted: z.boolean(),
    held: z.boolean(),
  })
  .meta({ id: "Machine", description: "The ticket as its state machine has it." });
const certificate = z.object({
  hash: z.string(),
  line: count,
  json: z.string(),
  compact: z.string(),
  gaps: z.array(z.string()),
  url: z.string().optional(),
});
const view = z
  .object({
    ref: z.string(),
    name: z.string(),
    closing: z.string(),
    title: z.string(),
    asker: z.string(),
    ticket: machine,
    since: instant,
    now: instant,
    usd: z.number(),
    usdIsGuess: z.boolean(),
    usdCap: z.number(),
    spentMs: z.number(),
    builder: z.string().optional(),
    reviewer: z.string().optional(),
    plan: z.array(z.string()),
    validation: z.array(z.string()),
    confusions: z.array(z.string()),
    specHead: z.string().optional(),
    rounds: z.array(round),
    notes: z.array(z.object(note)),
    wait: wait.optional(),
    needsPerson: z.array(z.string()),
    approvedBy: z.string().optional(),
    releasedBy: z.string().optional(),
    ledgerHead: z.object({ seq: count, hash: z.string() }),
    maxCycles: count,
    detailsUrl: z.string().optional(),
    obstacles: z.array(z.object({ why: z.string(), fix: z.string() })).optional(),
    certificate: certificate.optional(),
  })
  .meta({ id: "TicketView" });
const findingRow = z
  .object({
    key: z.string(),
    finding,
    rounds: z.array(z.enum(["new", "kept", "reopened", "late", "fixed", "dropped"]).nullish()),
  })
  .meta({
    id: "FindingRow",
    description: "One finding over all rounds; null where a round says nothing of it.",
  });
const runOfTicket = z
  .object({
    run: z.string(),
    href: z.string(),
    summary: z.object({ text: z.string(), by: z.string(), note: z.string().optional() }).optional(),
    usd: z.number(),
    usdIsGuess: z.boolean(),
    sessions: count,
  })
  .meta({ id: "RunOfTicket" });
export const ticket = z
  .object({
    view,
    id: ticketId,
    url: z.string(),
    branch: z.string(),
    version: count.meta({ description: "Number of its ledger lines: what an order is given upon (`seen`)." }),
    lines: z.array(line).meta({ description: "The newest of them; `/lines` has all." }),
    older: count.optional(),
    findings: z.array(findingRow),
    runs: z.array(runOfTicket),
    sessions: z.array(session),
    sessionCount: count,
    ordered: ordered.optional(),
    effects: z.array(effect),
    may: z
      .array(z.string())
      .meta({ description: "Orders its state has a row for, where the caller may act." }),
    mayAct: z.boolean(),
    halts: z.array(z.object({ by: z.string(), at: instant, isOperator: z.boolean() })),
  })
  .meta({ id: "Ticket", description: "One ticket, as its page tells it." });

export const ticketRow = z
  .object({
    id: ticketId,
    ref: z.string(),
    number: z.int(),
    title: z.string(),
    url: z.string(),
    author: z.string(),
    repo: z.string(),
    branch: z.string(),
    state,
    version: count,
    pull: z.int().optional(),
    head: sha.optional(),
    priority: z.number().optional(),
    since: instant,
    updatedAt: instant,
  })
  .meta({ id: "TicketRow" });
export const ledgerLine = z
  .object({
    seq: count,
    ticket: ticketId,
    ref: z.string(),
    version: count,
    ...note,
    permission: z.string().optional(),
    type: z.string(),
    event: z.looseObject({ type: z.string() }),
    row: z.string(),
    from: state,
    to: state,
    hash: z.string(),
  })
  .meta({ id: "LedgerLine", description: "One line of the ledger, of whichever ticket." });
export const halted = z
  .object({ is: z.enum(["raised", "lifted"]) })
  .meta({ id: "Halted", description: "Whether it is halted." });

/** What a request may name. */
export const byTicket = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(300)
    .meta({
      description: "Its id, or any name that people use: `acme/web#42`, `ENG-42`, `42` where one has it.",
      examples: ["acme/web#42"],
    }),
});
export const limit = (greatest: number, usual: number) =>
  z.int().min(1).max(greatest).default(usual).meta({ description: "At most so many." });
export const repoName = z
  .string()
  .regex(/^[\w.-]{1,100}\/[\w.-]{1,100}$/u)
  .meta({ description: "`owner/name`", examples: ["acme/web"] });
/** Where a list goes on that begins with the newest. */
export const nextKey = count.optional().meta({ description: "`next` of the page before." });
/** A body that says no more than its path. */
export const nothing = z.strictObject({}).meta({ id: "Nothing" });
