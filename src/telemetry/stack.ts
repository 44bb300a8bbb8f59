/** The files of a Grafana, a Prometheus and a Tempo for one forgehand: pure text. */
import { stringify } from "yaml";
import { dashboard, dataSources } from "./dashboard.ts";

/** Versions that these files were written for. */
export const images = {
  grafana: "grafana/grafana:12.0.2",
  prometheus: "prom/prometheus:v3.5.0",
  tempo: "grafana/tempo:2.10.4",
} as const;
/** Grafana's own 3000 is forgehand's. */
export const ports = { grafana: 3001, prometheus: 9090, tempo: 3200, otlp: 4318 } as const;
export const tokenFile = "metrics-token";

export interface StackOptions {
  /** Where forgehand serves, as seen from this host. */
  readonly forgehand: { readonly host: string; readonly port: number };
  /** `host`: containers use this host's own network (Linux), so that what listens on loopback is reached; `bridge`: elsewhere. */
  readonly network: "host" | "bridge";
  /** Whose files these are; containers run as them, so that the token need not be open to all. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

/** Every file by its path below the folder; the token is none of them. */
export function stackFiles(options: StackOptions): Readonly<Record<string, string>> {
  return {
    "compose.yaml": yaml(compose(options)),
    "prometheus.yml": yaml(prometheus(options)),
    "tempo.yaml": yaml(tempo(options)),
    "grafana/datasources/forgehand.yaml": yaml(sources(options)),
    "grafana/dashboards/forgehand.yaml": yaml(providers),
    "grafana/forgehand.json": `${JSON.stringify(dashboard(), null, 2)}\n`,
  };
}
/** Folders that containers write into. */
export const dataFolders = ["data/grafana", "data/prometheus", "data/tempo"] as const;

const yaml = (content: object): string =>
  `# Written by \`forgehand observability up\`, which leaves it alone once you have changed it.\n${stringify(content, { lineWidth: 0 })}`;

const inside = ({ network }: StackOptions, service: string, port: number): string =>
  network === "host" ? `127.0.0.1:${port}` : `${service}:${port}`;
const listening = ({ network }: StackOptions, port: number): string =>
  `${network === "host" ? "127.0.0.1" : "0.0.0.0"}:${port}`;

function compose(options: StackOptions): object {
  const { network, user } = options;
  const shared = (published: readonly number[]) => ({
    restart: "unless-stopped",
    ...(user === undefined ? {} : { user: `${user.uid}:${user.gid}` }),
    ...(network === "host"
      ? { network_mode: "host" }
      : {
          // On loopback alone: whoever wants them elsewhere puts a proxy that asks for a password before them.
          ports: published.map((port) => `127.0.0.1:${port}:${port}`),
          extra_hosts: ["host.docker.internal:host-gateway"],
        }),
    logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } },
  });
  return {
    services: {
      prometheus: {
        image: images.prometheus,
        ...shared([ports.prometheus]),
        command: [
          "--config.file=/etc/prometheus/prometheus.yml",
          "--storage.tsdb.path=/prometheus",
          "--storage.tsdb.retention.time=30d",
          `--web.listen-address=${listening(options, ports.prometheus)}`,
        ],
        volumes: [
          "./prometheus.yml:/etc/prometheus/prometheus.yml:ro",
          `./${tokenFile}:/etc/prometheus/${tokenFile}:ro`,
          "./data/prometheus:/prometheus",
        ],
      },
      tempo: {
        image: images.tempo,
        ...shared([ports.tempo, ports.otlp]),
        command: ["-config.file=/etc/tempo.yaml"],
        volumes: ["./tempo.yaml:/etc/tempo.yaml:ro", "./data/tempo:/var/tempo"],
      },
      grafana: {
        image: images.grafana,
        ...shared([ports.grafana]),
        environment: {
          GF_SERVER_HTTP_PORT: String(ports.grafana),
          ...(network === "host" ? { GF_SERVER_HTTP_ADDR: "127.0.0.1" } : {}),
          GF_ANALYTICS_REPORTING_ENABLED: "false",
          GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
          GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: "/var/lib/forgehand/forgehand.json",
        },
        volumes: [
          "./grafana/datasources:/etc/grafana/provisioning/datasources:ro",
          "./grafana/dashboards:/etc/grafana/provisioning/dashboards:ro",
          "./grafana/forgehand.json:/var/lib/forgehand/forgehand.json:ro",
          "./data/grafana:/var/lib/grafana",
        ],
        depends_on: ["prometheus", "tempo"],
      },
    },
  };
}

function prometheus({ forgehand: { host, port }, network }: StackOptions): object {
  const isLoopback = host === "127.0.0.1" || host === "localhost" || host === "0.0.0.0" || host === "::";
  const reached = !isLoopback ? host : network === "host" ? "127.0.0.1" : "host.docker.internal";
  return {
    global: { scrape_interval: "15s", scrape_timeout: "10s" },
    scrape_configs: [
      {
        job_name: "forgehand",
        metrics_path: "/metrics",
        authorization: { type: "Bearer", credentials_file: `/etc/prometheus/${tokenFile}` },
        static_configs: [{ targets: [`${reached}:${port}`] }],
      },
    ],
  };
}

const tempo = (options: StackOptions): object => ({
  server: {
    http_listen_address: options.network === "host" ? "127.0.0.1" : "0.0.0.0",
    http_listen_port: ports.tempo,
    // Its own default is Prometheus' port to others, and on this host's network anybody's.
    grpc_listen_address: "127.0.0.1",
    grpc_listen_port: 9_095,
  },
  distributor: { receivers: { otlp: { protocols: { http: { endpoint: listening(options, ports.otlp) } } } } },
  storage: {
    trace: { backend: "local", local: { path: "/var/tempo/blocks" }, wal: { path: "/var/tempo/wal" } },
  },
  compactor: { compaction: { block_retention: "336h" } },
  usage_report: { reporting_enabled: false },
});

const sources = (options: StackOptions): object => ({
  apiVersion: 1,
  datasources: [
    {
      name: "Prometheus (forgehand)",
      uid: dataSources.prometheus,
      type: "prometheus",
      access: "proxy",
      url: `http://${inside(options, "prometheus", ports.prometheus)}`,
      isDefault: true,
      jsonData: { timeInterval: "15s" },
    },
    {
      name: "Tempo (forgehand)",
      uid: dataSources.tempo,
      type: "tempo",
      access: "proxy",
      url: `http://${inside(options, "tempo", ports.tempo)}`,
    },
  ],
});

const providers = {
  apiVersion: 1,
  providers: [
    {
      name: "forgehand",
      type: "file",
      allowUiUpdates: false,
      options: { path: "/var/lib/forgehand" },
    },
  ],
};
