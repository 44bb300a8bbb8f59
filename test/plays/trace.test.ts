/** One ticket from its label to its merge, as its trace arrives at a collector; and what the log says meanwhile. */
import { afterEach, expect, test } from "vitest";
import { traceIdOf } from "../../src/telemetry/trace.ts";
import { startCollector, type Arrived, type Collector } from "../telemetry/collector.ts";
import { openWorld, type World } from "../world.ts";

let world: World;
let collector: Collector;
afterEach(async () => {
  await world.close();
  await collector.close();
});

const title = "Say done, my secret title";
const body = "Write src/done.txt with the words of the body.";
const release = (): number => {
  const issue = world.people.openIssue({ by: "bob", title, body });
  world.people.label(issue, "agent-ready", "bob");
  return issue;
};
async function merge(issue: number): Promise<void> {
  await world.untilState(issue, "In Review");
  await world.people.approve(await world.pullOf(issue), "bob");
  await world.untilState(issue, "Done");
  await world.settled();
}
const arrived = (): readonly Arrived[] => [
  ...new Map(collector.spans.map((span) => [span.spanId, span])).values(),
];
/** What must have come before a trace is whole. */
const isWhole = (): boolean => {
  const spans = arrived();
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const names = spans.map(({ name }) => name);
  return (
    spans.every(
      ({ parentSpanId }) => parentSpanId === undefined || parentSpanId === "" || ids.has(parentSpanId),
    ) &&
    names.some((name) => name.startsWith("ticket ")) &&
    names.filter((name) => name.startsWith("invoke_workflow")).length >= 3 &&
    names.filter((name) => name.startsWith("invoke_agent")).length >= 3
  );
};
const parentOf = ({ parentSpanId }: Arrived): Arrived | undefined =>
  arrived().find(({ spanId }) => spanId === parentSpanId);
const roadOf = (span: Arrived): readonly string[] => {
  const above = parentOf(span);
  return [...(above === undefined ? [] : roadOf(above)), span.name];
};

/** What any trace of a merged ticket has to show. */
function expectWholeTrace(issue: number): void {
  const ticket = `github:${world.repo.id}#${issue}`;
  const spans = arrived();
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([traceIdOf(ticket, 0)]));
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined || parentSpanId === "");
  expect(roots.map(({ name }) => name)).toEqual([`ticket acme/web#${issue}`]);
  const [root] = roots;
  for (const span of spans) {
    expect(span.endMs, span.name).toBeGreaterThanOrEqual(span.startMs);
    expect(span.startMs, span.name).toBeGreaterThanOrEqual(root?.startMs ?? Infinity);
  }
  const agents = spans.filter(({ name }) => name.startsWith("invoke_agent"));
  expect(agents.map((span) => roadOf(span).map((name) => name.split(" ")[0]))).toEqual(
    agents.map(() => ["ticket", "item", "step", "invoke_workflow", "attempt", "invoke_agent"]),
  );
  const label = spans.find(({ name }) => name === "step Backlog → Ready");
  expect(label === undefined ? [] : roadOf(label)).toEqual([
    `ticket acme/web#${issue}`,
    "delivery github issues.labeled",
    "step Backlog → Ready",
  ]);
  const merged = spans.find(({ name }) => name === "effect merge.try" || name === "effect merge.arm");
  expect(merged === undefined ? undefined : parentOf(merged)?.name.startsWith("step ")).toBe(true);
  const last = spans.find(({ name }) => name === "step Merging → Done");
  // A merge is named by itself: whichever delivery or look tells of it first, it is one event.
  expect(last === undefined ? undefined : parentOf(last)?.name).toBe(`ticket acme/web#${issue}`);
  expect(last?.endMs).toBe(root?.endMs);
  // A report hangs together with the run that made it.
  const report = spans.find(({ name }) => name === "item run build");
  const run = spans.find(({ name }) => name === "invoke_workflow build");
  expect(report?.links.map(({ spanId }) => spanId)).toEqual([run?.spanId]);
}

test("a ticket is one trace from its label to its merge, by the conventions, and nobody's words are in it", async () => {
  collector = await startCollector();
  const lines: string[] = [];
  world = await openWorld({ tracing: collector.tracing, logTo: (line) => lines.push(line) });
  const issue = release();
  await merge(issue);
  await world.until("the trace is whole", isWhole);
  expectWholeTrace(issue);
  expect(collector.resource).toMatchObject({ "service.name": "forgehand" });
  expect(collector.posts[0]).toMatchObject({ path: "/v1/traces", headers: { "x-tenant": "acme" } });
  const build = arrived().find(({ attributes }) => attributes["forgehand.role"] === "build");
  expect(build?.attributes).toMatchObject({
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.agent.name": "claude-code",
    "gen_ai.request.model": "claude-opus-5-5",
    "gen_ai.response.model": "claude-opus-5-5",
    "gen_ai.usage.input_tokens": 1_000,
    "gen_ai.usage.output_tokens": 100,
    "forgehand.usd": 0.02,
  });
  expect(build?.attributes["gen_ai.conversation.id"]).toMatch(/\S/u);
  const told = collector.posts.map((post) => post.body.toString()).join("\n");
  for (const word of ["secret title", "words of the body", "wrote src/done.txt"])
    expect(told).not.toContain(word);

  const ticket = `github:${world.repo.id}#${issue}`;
  const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const about of ["step", "effect", "attempt"]) {
    const those = said.filter(
      (one) => one["msg"] === about && !/^(?:config|foreign):/u.test(String(one["ticket"])),
    );
    expect(those.length, about).toBeGreaterThan(2);
    for (const one of those) {
      expect(one, about).toMatchObject({ ticket, trace_id: traceIdOf(ticket, 0) });
      expect(typeof one["ms"], about).toBe("number");
    }
  }
  for (const one of said.filter(({ run }) => typeof run === "string")) expect(one).toMatchObject({ ticket });
  const inbox = said.filter(({ msg, source, note }) => msg === "inbox" && source === "run" && note !== "");
  for (const one of inbox) expect(one).toMatchObject({ ticket });
  const secrets = [
    world.hub.state.app.webhookSecret,
    world.hub.state.app.privateKey.split("\n")[3] ?? "no key",
    "x-access-token",
  ];
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(8);
    expect(lines.join("\n")).not.toContain(secret);
    expect(told).not.toContain(secret);
  }
});

test("another process goes on with the same trace, and what the collector missed meanwhile is sent then", async () => {
  collector = await startCollector();
  world = await openWorld({ tracing: collector.tracing });
  collector.answer = 503;
  const issue = release();
  await world.untilState(issue, "In Review");
  await world.forgehand.stop(0);
  expect(collector.spans).toEqual([]);
  collector.answer = 200;
  await world.start();
  await merge(issue);
  await world.until("the trace is whole", isWhole);
  expectWholeTrace(issue);
});
