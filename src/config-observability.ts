/** What the operator says of figures and traces: one setting of ours, and OpenTelemetry's own variables by their own names. */
import { z } from "zod";
import { Problem } from "./problems.ts";

/** Long enough that nobody guesses it, and of characters that a header may hold. */
export const metricsTokenSchema = () =>
  z.string().regex(/^[\w.~+/=-]{16,200}$/u, "16 to 200 letters, digits or any of . _ ~ + / = - are expected");

/** Where traces go; they go nowhere without it. */
export interface Tracing {
  /** The full address of traces. */
  readonly url: string;
  readonly protocol: "http/protobuf" | "http/json";
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly gzip: boolean;
  readonly service: string;
  /** Of the resource, besides the name of the service. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** The variables that are read; also from the settings file, where they stand beside ours. */
export const isTracingVariable = (name: string): boolean =>
  /^OTEL_(?:SDK_DISABLED|SERVICE_NAME|RESOURCE_ATTRIBUTES|TRACES_EXPORTER|EXPORTER_OTLP_(?:TRACES_)?(?:ENDPOINT|PROTOCOL|HEADERS|TIMEOUT|COMPRESSION))$/u.test(
    name,
  );

const usualTimeoutMs = 10_000;
const wrong = (name: string, why: string): Problem => new Problem("environment-wrong", { name, wrong: why });

/** As OpenTelemetry's specification reads them; undefined where traces are off, which they are unless an endpoint is named. */
export function readTracing(env: Readonly<Record<string, string | undefined>>): Tracing | undefined {
  const value = (name: string): string | undefined => env[name]?.trim() || undefined;
  const own = (name: string): { readonly name: string; readonly value: string } | undefined => {
    for (const one of [`OTEL_EXPORTER_OTLP_TRACES_${name}`, `OTEL_EXPORTER_OTLP_${name}`]) {
      const found = value(one);
      if (found !== undefined) return { name: one, value: found };
    }
    return undefined;
  };
  const endpoint = own("ENDPOINT");
  const exporter = value("OTEL_TRACES_EXPORTER");
  if (endpoint === undefined || value("OTEL_SDK_DISABLED")?.toLowerCase() === "true") return undefined;
  if (exporter !== undefined && !exporter.split(",").includes("otlp")) return undefined;
  const protocol = own("PROTOCOL");
  if (protocol !== undefined && protocol.value !== "http/protobuf" && protocol.value !== "http/json")
    throw wrong(protocol.name, "http/protobuf or http/json is expected; gRPC is not spoken here");
  const timeout = own("TIMEOUT");
  if (timeout !== undefined && !/^\d{1,7}$/u.test(timeout.value))
    throw wrong(timeout.name, "milliseconds are expected");
  const headers = own("HEADERS");
  const attributes = pairs("OTEL_RESOURCE_ATTRIBUTES", value("OTEL_RESOURCE_ATTRIBUTES"));
  const { "service.name": named, ...rest } = attributes;
  return {
    url: addressOf(endpoint),
    protocol: protocol?.value === "http/json" ? "http/json" : "http/protobuf",
    headers: headers === undefined ? {} : pairs(headers.name, headers.value),
    timeoutMs: timeout === undefined ? usualTimeoutMs : Number(timeout.value),
    gzip: own("COMPRESSION")?.value === "gzip",
    service: value("OTEL_SERVICE_NAME") ?? named ?? "forgehand",
    attributes: rest,
  };
}

/** The endpoint of everything has a path for each signal; that of traces is taken as it is. */
function addressOf({ name, value }: { readonly name: string; readonly value: string }): string {
  const url = URL.parse(value);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw wrong(name, "an http or https URL is expected, such as http://127.0.0.1:4318");
  return name.includes("_TRACES_") ? url.href : `${url.href.replace(/\/+$/u, "")}/v1/traces`;
}

/** `name=value,name=value`, percent-encoded. What is wrong is not repeated: it may be a secret. */
function pairs(name: string, text: string | undefined): Readonly<Record<string, string>> {
  const found = (text ?? "").split(",").filter((part) => part.trim() !== "");
  return Object.fromEntries(
    found.map((part) => {
      const at = part.indexOf("=");
      if (at < 1) throw wrong(name, "name=value, with commas between, is expected");
      try {
        return [part.slice(0, at).trim(), decodeURIComponent(part.slice(at + 1).trim())];
      } catch {
        throw wrong(name, "a value is not percent-encoded as it should be");
      }
    }),
  );
}
