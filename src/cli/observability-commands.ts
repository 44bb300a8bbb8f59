import { Option, type Command } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";

const dir = () =>
  new Option("--dir <path>", "the folder of the files (default: forgehand-observability in this one)");

/** `forgehand observability`: Grafana, Prometheus and Tempo beside forgehand. */
export function registerObservability(program: Command): void {
  const observability = program
    .command("observability")
    .description("graphs and traces: a Grafana, a Prometheus and a Tempo with everything in it");
  observability
    .command("up")
    .description("write a compose file with data sources and a dashboard; tell how to start it")
    .addOption(dir())
    .addOption(
      new Option("--network <kind>", "how containers reach this host (default: host on Linux)").choices([
        "host",
        "bridge",
      ] as const),
    )
    .option("--force", "also over files that you changed")
    .addOption(json())
    .action((options) =>
      answer("observability-up", options, async () => (await import("./observability.ts")).up(options)),
    );
  observability
    .command("down")
    .description("tell how to stop it, and what stays")
    .addOption(dir())
    .addOption(json())
    .action((options) =>
      answer("observability-down", options, async () => (await import("./observability.ts")).down(options)),
    );
}
