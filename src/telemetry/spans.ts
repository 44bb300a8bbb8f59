/** Spans of what is fresh: pure. None holds what people or agents wrote. */
import { effectsPerLine } from "../store/outbox.ts";
import type { EndedEffect, EndedSession, Fresh, SettledRun } from "../store/follow.ts";
import { causeIdOf, type AttemptBrief, type Cause, type Surroundings } from "../store/traces.ts";
import { ticketOfRun } from "../state-machine/ticket.ts";
import { placed, spanIdOf, traceIdOf, type Placed } from "./trace.ts";

export type Attributes = Readonly<Record<string, string | number | boolean>>;
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly kind: "internal" | "client" | "consumer";
  readonly startMs: number;
  readonly endMs: number;
  readonly isError: boolean;
  readonly attributes: Attributes;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** Where things stand, for those that hang on them. */
interface Scene {
  readonly byTicket: ReadonlyMap<string, readonly Placed[]>;
  readonly bySeq: ReadonlyMap<number, Placed>;
  readonly causes: ReadonlyMap<string, Cause>;
  readonly attempts: readonly AttemptBrief[];
  readonly began: ReadonlyMap<string, number>;
  readonly refs: ReadonlyMap<string, string>;
}

/** A ticket's trace: the ticket; below it each item that moved it, its steps, their effects and runs, attempts, agents. */
export function spansOf(fresh: Fresh, around: Surroundings): readonly Span[] {
  const byTicket = new Map(
    [...Map.groupBy(around.lines, ({ ticket }) => ticket)].map(([ticket, lines]) => [ticket, placed(lines)]),
  );
  const scene: Scene = {
    byTicket,
    bySeq: new Map([...byTicket.values()].flat().map((line) => [line.seq, line])),
    causes: new Map(around.causes.map((cause) => [cause.id, cause])),
    attempts: around.attempts,
    began: new Map(around.began.map(({ id, createdAt }) => [id, createdAt])),
    refs: new Map(around.refs.map(({ id, ref }) => [id, ref])),
  };
  return [
    ...fresh.lines.flatMap(({ seq }) => spansOfLine(scene, seq)),
    ...fresh.effects.flatMap((effect) => effectSpan(scene, effect)),
    ...fresh.runs.flatMap((run) => runSpans(scene, run)),
    ...fresh.sessions.flatMap((session) => sessionSpan(scene, session)),
  ];
}

/** The newest trace of each ticket, for log lines. */
export const newestTraces = (around: Surroundings): ReadonlyMap<string, string> =>
  new Map(
    [...Map.groupBy(around.lines, ({ ticket }) => ticket)].flatMap(([ticket, lines]) => {
      const last = placed(lines).at(-1);
      return last === undefined ? [] : [[ticket, traceIdOf(ticket, last.chapter)] as const];
    }),
  );

const about = ({ refs }: Scene, ticket: string): Attributes => ({
  "forgehand.ticket.id": ticket,
  ...(refs.has(ticket) ? { "forgehand.ticket": refs.get(ticket) ?? "" } : {}),
});
const rootOf = ({ ticket, chapter }: Placed) => ({
  traceId: traceIdOf(ticket, chapter),
  spanId: spanIdOf("ticket", ticket, chapter),
});
const usual = { kind: "internal", isError: false, links: [] } as const;

function spansOfLine(scene: Scene, seq: number): readonly Span[] {
  const line = scene.bySeq.get(seq);
  if (line === undefined) return [];
  const { traceId, spanId: root } = rootOf(line);
  const causeId = causeIdOf(line);
  const cause = causeId === undefined ? undefined : scene.causes.get(causeId);
  const item = cause && spanIdOf("item", cause.seq, line.ticket);
  const step: Span = {
    ...usual,
    traceId,
    spanId: spanIdOf("step", line.seq),
    parentId: item ?? root,
    name: `step ${line.from === line.to ? line.to : `${line.from} → ${line.to}`}`,
    startMs: line.at,
    // Its one transaction: the row tells when it was decided, and no more.
    endMs: line.at,
    attributes: {
      ...about(scene, line.ticket),
      "forgehand.line": line.seq,
      "forgehand.row": line.row,
      "forgehand.state.from": line.from,
      "forgehand.state.to": line.to,
    },
  };
  return [
    ...(cause === undefined || !isFirstOf(scene, line, cause) ? [] : [itemSpan(scene, line, cause)]),
    step,
    ...(line.ends ? [rootSpan(scene, line)] : []),
  ];
}

/** An item that moves a ticket several times is told with the first of these lines. */
const isFirstOf = ({ byTicket }: Scene, line: Placed, cause: Cause): boolean =>
  byTicket.get(line.ticket)?.find((one) => causeIdOf(one) === cause.id)?.seq === line.seq;

/** From the moment it arrived until it had been read. */
function itemSpan(scene: Scene, line: Placed, cause: Cause): Span {
  const { traceId, spanId: root } = rootOf(line);
  const what = cause.action === null ? cause.name : `${cause.name}.${cause.action}`;
  return {
    ...usual,
    kind: "consumer",
    traceId,
    spanId: spanIdOf("item", cause.seq, line.ticket),
    parentId: root,
    name: `${cause.source === "github" || cause.source === "linear" ? "delivery" : "item"} ${cause.source} ${what}`,
    startMs: cause.receivedAt,
    endMs: Math.max(cause.receivedAt, cause.readAt ?? line.at),
    attributes: {
      ...about(scene, line.ticket),
      "messaging.operation.type": "process",
      "messaging.message.id": cause.id,
      "forgehand.item.source": cause.source,
      "forgehand.item.name": cause.name,
      "forgehand.item.outcome": cause.state,
    },
    links: causedBy(scene, line, cause),
  };
}

/** What a run reported, and the news of a performer, hang together with what they are news of. */
function causedBy(scene: Scene, line: Placed, { source, id }: Cause): Span["links"] {
  const { traceId } = rootOf(line);
  if (source === "run" && id.startsWith("run:"))
    return [{ traceId, spanId: spanIdOf("run", id.slice("run:".length)) }];
  // `news:<event id>/<place>:<number>`
  const [, eventId, place] = /^news:(.*)\/(\d+):\d+$/u.exec(id) ?? [];
  const of = scene.byTicket.get(line.ticket)?.find((one) => one.eventId === eventId);
  return of === undefined
    ? []
    : [
        {
          traceId: rootOf(of).traceId,
          spanId: spanIdOf("effect", of.ticket, of.seq * effectsPerLine + Number(place)),
        },
      ];
}

function rootSpan(scene: Scene, line: Placed): Span {
  const { traceId, spanId } = rootOf(line);
  const causeId = causeIdOf(line.first);
  const began = causeId === undefined ? undefined : scene.causes.get(causeId)?.receivedAt;
  return {
    ...usual,
    traceId,
    spanId,
    parentId: undefined,
    name: `ticket ${scene.refs.get(line.ticket) ?? line.ticket}`,
    startMs: Math.min(began ?? line.first.at, line.first.at),
    endMs: line.at,
    attributes: { ...about(scene, line.ticket), "forgehand.state": line.to },
    links: line.chapter === 0 ? [] : [rootOf({ ...line, chapter: line.chapter - 1 })],
  };
}

function effectSpan(scene: Scene, effect: EndedEffect): readonly Span[] {
  const line = scene.bySeq.get(Math.floor(effect.seq / effectsPerLine));
  if (line === undefined) return [];
  const isError = effect.state === "failed";
  return [
    {
      ...usual,
      kind: "client",
      isError,
      traceId: rootOf(line).traceId,
      spanId: spanIdOf("effect", effect.ticket, effect.seq),
      parentId: spanIdOf("step", line.seq),
      name: `effect ${effect.type}`,
      startMs: effect.createdAt,
      endMs: Math.max(effect.createdAt, effect.endedAt),
      attributes: {
        ...about(scene, effect.ticket),
        "forgehand.effect": effect.type,
        "forgehand.effect.outcome": effect.state,
        "forgehand.effect.retries": effect.attempts,
        ...(isError ? { "error.type": "effect_failed" } : {}),
      },
    },
  ];
}

/** The line that started a run: both were written in one transaction, at one instant. */
function startOf({ byTicket }: Scene, run: string, createdAt: number | undefined): Placed | undefined {
  const lines = byTicket.get(ticketOfRun(run)) ?? [];
  return (
    lines.findLast(({ at, to }) => at === createdAt && working.has(to)) ??
    lines.findLast(({ at }) => createdAt !== undefined && at <= createdAt) ??
    lines[0]
  );
}
const working: ReadonlySet<string> = new Set(["Gate", "In Progress", "Adversarial Review", "Rework"]);

function runSpans(scene: Scene, run: SettledRun): readonly Span[] {
  const line = startOf(scene, run.id, run.createdAt);
  if (line === undefined) return [];
  const { traceId } = rootOf(line);
  const spanId = spanIdOf("run", run.id);
  const attributes = { ...about(scene, line.ticket), "forgehand.run": run.id };
  const isError = run.status === "failed";
  const own: Span = {
    ...usual,
    isError,
    traceId,
    spanId,
    parentId: spanIdOf("step", line.seq),
    name: `invoke_workflow ${run.workflow}`,
    startMs: run.createdAt,
    endMs: Math.max(run.createdAt, run.settledAt),
    attributes: {
      ...attributes,
      "gen_ai.operation.name": "invoke_workflow",
      "gen_ai.workflow.name": run.workflow,
      "forgehand.run.status": run.status,
      ...(run.outcome === null ? {} : { "forgehand.run.outcome": run.outcome }),
      ...(run.beganAt === null ? {} : { "forgehand.run.queue_ms": Math.max(0, run.beganAt - run.createdAt) }),
      ...(isError ? { "error.type": "run_failed" } : {}),
    },
  };
  const attempts = scene.attempts.filter((one) => one.run === run.id);
  return [
    own,
    ...attempts.map((one) => ({
      ...usual,
      isError: one.status === "failed",
      traceId,
      spanId: spanIdOf("attempt", one.seq),
      parentId: spanId,
      name: `attempt ${one.leaf}`,
      startMs: one.startedAt,
      endMs: Math.max(one.startedAt, one.endedAt ?? run.settledAt),
      attributes: {
        ...attributes,
        "forgehand.leaf": one.leaf,
        "forgehand.iteration": one.iteration,
        "forgehand.attempt": one.attempt,
        "forgehand.attempt.status": one.status,
        ...(one.cut === 0 ? {} : { "forgehand.attempt.cut": true }),
        ...(one.status === "failed" ? { "error.type": "attempt_failed" } : {}),
      },
    })),
  ];
}

/** Families whose makers have another name in OpenTelemetry's registry. */
const providers: Readonly<Record<string, string>> = {
  google: "gcp.gemini",
  mistral: "mistral_ai",
  moonshot: "moonshot_ai",
  xai: "x_ai",
};

/** By OpenTelemetry's conventions for generative AI, as of 2026: what was said to a model and by it is not told. */
function sessionSpan(scene: Scene, session: EndedSession): readonly Span[] {
  const attempt = attemptOf(scene, session);
  const line = startOf(scene, session.run, scene.began.get(session.run) ?? session.startedAt);
  if (line === undefined) return [];
  const isError = session.outcome !== "done";
  const given = (name: string, value: string | number | null): Attributes =>
    value === null ? {} : { [name]: value };
  return [
    {
      ...usual,
      kind: "client",
      isError,
      traceId: rootOf(line).traceId,
      spanId: spanIdOf("session", session.id),
      parentId: attempt === undefined ? spanIdOf("run", session.run) : spanIdOf("attempt", attempt.seq),
      name: `invoke_agent ${session.runtime}`,
      startMs: session.startedAt,
      endMs: Math.max(session.startedAt, session.endedAt ?? session.startedAt),
      attributes: {
        ...about(scene, session.ticket),
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": providers[session.family ?? ""] ?? session.family ?? session.runtime,
        "gen_ai.agent.name": session.runtime,
        ...given("gen_ai.request.model", session.model),
        ...given("gen_ai.response.model", session.modelBy === "observed" ? session.model : null),
        ...given("gen_ai.conversation.id", session.session),
        "gen_ai.usage.input_tokens": session.inputTokens,
        "gen_ai.usage.output_tokens": session.outputTokens,
        "gen_ai.usage.cache_read.input_tokens": session.cachedInputTokens,
        "forgehand.run": session.run,
        "forgehand.role": session.role,
        "forgehand.usd": session.usd,
        "forgehand.outcome": session.outcome ?? "unknown",
        ...(isError ? { "error.type": session.outcome ?? "_OTHER" } : {}),
      },
    },
  ];
}

/** A session is named by the attempt that it was opened in: `<run>/<leaf>@<iteration>#<attempt>`, and perhaps `@<runtime>`. */
function attemptOf({ attempts }: Scene, { key, run }: EndedSession): AttemptBrief | undefined {
  const mine = attempts.filter((one) => one.run === run);
  const is = ({ leaf, iteration, attempt }: AttemptBrief): boolean => {
    const name = `${run}/${leaf}@${iteration}#${attempt}`;
    return key === name || key.startsWith(`${name}@`);
  };
  return mine.findLast((one) => one.cut === 0 && is(one)) ?? mine.findLast(is);
}
