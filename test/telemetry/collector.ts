/** An OTLP collector on loopback: takes what the exporter posts, and can be away or refuse for a while. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import type { Tracing } from "../../src/config-observability.ts";

interface OtlpValue {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
}
interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: OtlpValue }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: number };
}
interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: OtlpSpan["attributes"] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}
/** As it arrived, with attributes as a record and times in milliseconds. */
export interface Arrived extends Omit<OtlpSpan, "attributes"> {
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly startMs: number;
  readonly endMs: number;
}

export interface Collector {
  readonly tracing: Tracing;
  /** Every span, in order of arrival; those that came twice, too. */
  readonly spans: Arrived[];
  readonly posts: {
    readonly path: string;
    readonly type: string;
    readonly headers: object;
    readonly body: Buffer;
  }[];
  readonly resource: Record<string, unknown>;
  /** Answers this instead of taking anything. */
  answer: number;
  close(): Promise<void>;
}

const plain = (attributes: OtlpSpan["attributes"]): Record<string, string | number | boolean | undefined> =>
  Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
      key,
      stringValue ?? (intValue === undefined ? (doubleValue ?? boolValue) : Number(intValue)),
    ]),
  );

export async function startCollector(protocol: Tracing["protocol"] = "http/json"): Promise<Collector> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const raw = Buffer.concat(chunks);
      const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
      const type = request.headers["content-type"] ?? "";
      collector.posts.push({ path: request.url ?? "", type, headers: request.headers, body });
      if (collector.answer === 200 && type === "application/json")
        take(JSON.parse(body.toString()) as OtlpRequest);
      response.writeHead(collector.answer, { "content-type": type }).end("{}");
    });
  });
  const take = ({ resourceSpans }: OtlpRequest): void => {
    for (const { resource, scopeSpans } of resourceSpans) {
      Object.assign(collector.resource, plain(resource.attributes));
      for (const span of scopeSpans.flatMap(({ spans }) => spans))
        collector.spans.push({
          ...span,
          attributes: plain(span.attributes),
          startMs: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
          endMs: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
        });
    }
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const collector: Collector = {
    tracing: {
      url: `http://127.0.0.1:${port}/v1/traces`,
      protocol,
      headers: { "x-tenant": "acme" },
      timeoutMs: 5_000,
      gzip: false,
      service: "forgehand",
      attributes: {},
    },
    spans: [],
    posts: [],
    resource: {},
    answer: 200,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return collector;
}
