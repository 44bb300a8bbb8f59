/** A repository in which there is something of everything: what pages are looked at with, by tests and in pictures. */
import { openWorld, pass, proceed, usage, type World } from "../world.ts";

const spent = (usd: number, inputTokens: number, outputTokens: number) => ({
  usage: { inputTokens, cachedInputTokens: Math.round(inputTokens * 0.7), outputTokens, usd },
});
const clear = { ok: true, reason: "" };
const vague = {
  decision: "flag",
  where: { ok: false, reason: "no page or endpoint is named" },
  what: clear,
  acceptance: { ok: false, reason: "how fast is fast enough?" },
  ambiguity: clear,
  gapComment: "Which page is slow, and how fast must it be? A number and a way to measure it would do.",
};
const emptyCart = {
  title: "The empty cart still shows a total of NaN",
  body: "`total()` divides by the number of lines. With none it is `0 / 0`; show words in place of a sum.",
  grade: "blocker",
  path: "src/cart.ts",
  line: 3,
  kind: "correctness",
};
const naming = {
  title: "`t` says little",
  body: "Call it `total`, as the rest of the file does.",
  grade: "polish",
  path: "src/cart.ts",
  line: 2,
  kind: "style",
};
const cartBefore =
  "export function total(lines: readonly number[]): number {\n  const t = lines.reduce((sum, one) => sum + one, 0);\n  return t / lines.length;\n}\n";
const cartAfter =
  'export function total(lines: readonly number[]): string {\n  if (lines.length === 0) return "Your cart is empty";\n  const total = lines.reduce((sum, one) => sum + one, 0);\n  return total.toFixed(2);\n}\n';

const builds = (title: string, path: string, text: string, usd: number) => ({
  role: "build",
  prompt: title,
  steps: [
    { say: `I will do this in ${path}, and run the tests.` },
    { write: { path, text } },
    spent(usd, 48_200, 3_150),
    { done: `wrote ${path}` },
  ],
});

/** Titles, by what each is there for. */
export const titles = {
  merged: "Remember the reader's theme",
  inReview: "Show the empty cart in words",
  overBudget: "Export invoices as CSV",
  vague: "Make it faster",
  blocked: "Rotate session cookies at login",
  building: "Page through the audit table",
  reviewing: "Write dates as each reader's country does",
  queued: "Drop the old import format",
} as const;

const scenes: readonly object[] = [
  { role: "gate", prompt: titles.vague, steps: [usage, { answer: vague }] },
  builds(titles.merged, "src/theme.ts", "export const theme = () => localStorage.getItem('theme');\n", 0.38),
  {
    ...builds(titles.inReview, "src/cart.ts", cartAfter, 0.31),
    prompt: [titles.inReview, emptyCart.title],
  },
  builds(titles.inReview, "src/cart.ts", cartBefore, 0.44),
  {
    role: "review",
    prompt: titles.inReview,
    file: { path: "src/cart.ts", contains: "lines.length;" },
    steps: [
      spent(0.12, 21_000, 900),
      {
        answer: { verdict: "fail", findings: [emptyCart, naming], summary: "An empty cart divides by zero." },
      },
    ],
  },
  {
    role: "review",
    prompt: titles.inReview,
    steps: [
      spent(0.11, 20_400, 700),
      { answer: { ...pass, summary: "The empty cart has words now, and both cases are tested." } },
    ],
  },
  {
    role: "build",
    prompt: titles.overBudget,
    steps: [
      { write: { path: "src/invoices.ts", text: "export const rows = [];\n" } },
      spent(5.02, 610_000, 41_000),
      { fail: { how: "unfinished", code: "budget", why: "the run spent its $5" } },
    ],
  },
  {
    role: "build",
    prompt: titles.blocked,
    steps: [
      spent(0.2, 12_000, 800),
      { fail: { how: "give-up", code: "refused", why: "the tests need a database that is not there" } },
    ],
  },
  {
    role: "build",
    prompt: titles.building,
    steps: [
      { say: "The table is read whole today: I will read it by key, fifty rows at a time." },
      { write: { path: "src/audit.ts", text: "export const pageSize = 50;\n" } },
      spent(0.27, 31_000, 2_000),
      { say: "Now the test that proves that no row is shown twice." },
      { sleep: 600_000 },
    ],
  },
  builds(titles.reviewing, "src/dates.ts", "export const dates = new Intl.DateTimeFormat();\n", 0.29),
  {
    role: "review",
    prompt: titles.reviewing,
    steps: [{ say: "Reading the change in its worktree." }, { sleep: 600_000 }],
  },
  { role: "gate", steps: [spent(0.02, 3_000, 150), { answer: proceed }] },
];

export interface Town {
  readonly world: World;
  /** Numbers of the issues, by what each is there for. */
  readonly issues: Readonly<Record<keyof typeof titles, number>>;
  /** What the store calls it. */
  idOf(which: keyof typeof titles): string;
}

/** Opens it and lets everything come to where it belongs. Two agents sleep at work there until the world is closed. */
export async function openTown(): Promise<Town> {
  const world = await openWorld({
    environment: { concurrency: 2 },
    config: "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0, attempts: 1 }\n",
    scenes,
    files: { "src/cart.ts": "export {};\n", "package.json": '{ "name": "web" }\n' },
  });
  const { people } = world;
  const issues: Partial<Record<keyof typeof titles, number>> = {};
  const open = (which: keyof typeof titles, by = "bob"): number => {
    const issue = people.openIssue({ by, title: titles[which], body: bodies[which] });
    people.label(issue, "agent-ready", by);
    issues[which] = issue;
    return issue;
  };
  const merged = open("merged");
  await world.untilState(merged, "In Review");
  await world.settled();
  await people.approve(await world.pullOf(merged), "ada");
  await world.untilState(merged, "Done");
  const inReview = open("inReview");
  const vague = open("vague");
  await world.untilState(inReview, "In Review");
  await world.until("flagged", () => people.thread(vague).labels.has("needs-spec"));
  const overBudget = open("overBudget");
  const blocked = open("blocked");
  await world.untilState(overBudget, "Blocked");
  await world.untilState(blocked, "Blocked");
  const reviewing = open("reviewing");
  await world.untilState(reviewing, "Adversarial Review");
  const building = open("building");
  await world.untilState(building, "In Progress");
  open("queued");
  await world.until("both are at work", async () => {
    const sessions = await Promise.all(
      [reviewing, building].map((issue) =>
        world.forgehand.store.sessionsOf(`github:${world.repo.id}#${issue}`),
      ),
    );
    return sessions.every((all) => all.some(({ endedAt, model }) => endedAt === null && model !== null));
  });
  await world.until(
    "the queued one waits",
    async () => (await world.stateOf(issues.queued ?? 0)) === "Ready",
  );
  // Each was opened above.
  const all = issues as Record<keyof typeof titles, number>;
  return { world, issues: all, idOf: (which) => `github:${world.repo.id}#${all[which]}` };
}

const bodies: Readonly<Record<keyof typeof titles, string>> = {
  merged: "In `src/theme.ts`: keep the theme a reader chose. Done when a reload shows the same.",
  inReview: "In `src/cart.ts`: an empty cart says so in words. Done when a test shows both cases.",
  overBudget: "In `src/invoices.ts`: a button that saves all invoices of a year as CSV, with a test.",
  vague: "The page is slow.",
  blocked: "In `src/session.ts`: a new cookie at each login, the old one is void. Tests for both.",
  building: "In `src/audit.ts`: read by key, 50 rows a page. Done when no row shows twice.",
  reviewing:
    "In `src/dates.ts`: `Intl.DateTimeFormat` in place of our own. Done when three countries are tested.",
  queued: "Remove `src/import-v1.ts` and its tests. Done when nothing refers to it.",
};
