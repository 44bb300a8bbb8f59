/** Spans as OpenTelemetry's own exporters send them. Loaded only where traces are on. */
import { SpanKind, SpanStatusCode, TraceFlags, type HrTime, type Link } from "@opentelemetry/api";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base";
import type { Tracing } from "../config-observability.ts";
import type { Span } from "./spans.ts";

/** What became of a batch: it is there; it may be sent again; it will never be taken. */
export type Sent =
  | { readonly is: "sent" }
  | { readonly is: "again"; readonly why: string }
  | { readonly is: "refused"; readonly why: string };
export interface Exporter {
  send(spans: readonly Span[]): Promise<Sent>;
  close(): Promise<void>;
}

/** What no second try changes: the batch itself is not taken. */
const hopeless: ReadonlySet<unknown> = new Set([400, 413, 422]);

export function openExporter(
  { url, protocol, headers, timeoutMs, gzip, service, attributes }: Tracing,
  version: string,
): Exporter {
  const settings = {
    url,
    headers: { ...headers },
    timeoutMillis: timeoutMs,
    // The enum is no export of either package; this is its value.
    ...(gzip ? { compression: "gzip" as never } : {}),
  };
  const exporter: SpanExporter =
    protocol === "http/json" ? new JsonExporter(settings) : new ProtobufExporter(settings);
  const resource = resourceFromAttributes({
    ...attributes,
    "service.name": service,
    "service.version": version,
  });
  const scope = { name: "forgehand", version };
  return {
    send: (spans) =>
      new Promise((resolve) => {
        exporter.export(
          spans.map((span) => readable(span, resource, scope)),
          ({ code, error }: { readonly code: number; readonly error?: Error }) =>
            resolve(code === 0 ? { is: "sent" } : failed(error)),
        );
      }),
    close: () => exporter.shutdown(),
  };
}

function failed(error: Error | undefined): Sent {
  const why = error?.message ?? "the collector did not take them";
  const status = error !== undefined && "code" in error ? error.code : undefined;
  return hopeless.has(status) ? { is: "refused", why } : { is: "again", why };
}

const hr = (ms: number): HrTime => [Math.floor(ms / 1_000), (ms % 1_000) * 1_000_000];
const kinds = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT, consumer: SpanKind.CONSUMER } as const;

const contextOf = ({ traceId, spanId }: { readonly traceId: string; readonly spanId: string }) => ({
  traceId,
  spanId,
  traceFlags: TraceFlags.SAMPLED,
});

function readable(
  span: Span,
  resource: ReturnType<typeof resourceFromAttributes>,
  instrumentationScope: ReadableSpan["instrumentationScope"],
): ReadableSpan {
  const { traceId, parentId } = span;
  return {
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => contextOf(span),
    ...(parentId === undefined ? {} : { parentSpanContext: contextOf({ traceId, spanId: parentId }) }),
    startTime: hr(span.startMs),
    endTime: hr(span.endMs),
    duration: hr(span.endMs - span.startMs),
    status: { code: span.isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: span.attributes,
    links: span.links.map((link): Link => ({ context: contextOf(link) })),
    events: [],
    ended: true,
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}
