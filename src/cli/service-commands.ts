import { InvalidArgumentError, Option, type Command } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";
import type { ServiceKind, ServiceScope } from "./service-host.ts";

const kind = () =>
  new Option("--kind <kind>", "what runs it (default: systemd on Linux, launchd on macOS)").choices([
    "systemd",
    "launchd",
    "compose",
    "docker",
    "helm",
  ] as const);
const user = () => new Option("--user", "for this user (default, except for root)").conflicts("system");
const system = () => new Option("--system", "for the whole system");
const dir = () =>
  new Option("--dir <path>", "where files of containers go (default: forgehand-KIND in this folder)");
const dryRun = () => new Option("-n, --dry-run", "only tell");

interface Said {
  readonly kind?: ServiceKind | undefined;
  readonly user?: true | undefined;
  readonly system?: true | undefined;
  readonly dir?: string | undefined;
}
const meant = ({ user: isUser, system: isSystem, ...options }: Said) => ({
  ...options,
  scope: scopeOf(isUser, isSystem),
});
const scopeOf = (isUser: true | undefined, isSystem: true | undefined): ServiceScope | undefined =>
  isSystem === true ? "system" : isUser === true ? "user" : undefined;

function lines(text: string): number {
  if (!/^\d{1,6}$/u.test(text)) throw new InvalidArgumentError("a number of lines is expected.");
  return Number(text);
}

/** `forgehand service`: this forgehand, started with the host and restarted when it ends. */
export function registerService(program: Command): void {
  const service = program
    .command("service")
    .description("run `up` as a service: systemd, launchd, or in a container");
  changing(service);
  looking(service);
}

function changing(service: Command): void {
  service
    .command("install")
    .description("write the service for this host and start it; again after an update or a move")
    .addOption(kind())
    .addOption(user())
    .addOption(system())
    .addOption(dir())
    .addOption(dryRun())
    .option("--force", "also over a file that somebody else wrote or changed")
    .addOption(json())
    .action((options) =>
      answer("service-install", options, async () =>
        (await rooms()).installService(await machine(), meant(options)),
      ),
    );
  service
    .command("uninstall")
    .description("stop the service, once its runs have drained, and remove what `install` wrote")
    .addOption(kind())
    .addOption(user())
    .addOption(system())
    .addOption(dir())
    .addOption(dryRun())
    .addOption(json())
    .action((options) =>
      answer("service-uninstall", options, async () =>
        (await rooms()).uninstallService(await machine(), meant(options)),
      ),
    );
}

function looking(service: Command): void {
  service
    .command("status")
    .description("whether it runs")
    .addOption(kind())
    .addOption(user())
    .addOption(system())
    .addOption(json())
    .action((options) =>
      answer("service-status", options, async () =>
        (await rooms()).serviceStatus(await machine(), meant(options)),
      ),
    );
  service
    .command("logs")
    .description("what it logged")
    .addOption(kind())
    .addOption(user())
    .addOption(system())
    .option("-f, --follow", "go on as it speaks")
    .addOption(new Option("--lines <count>", "how many of the last lines").default(100).argParser(lines))
    .action(async ({ follow, ...options }) => {
      try {
        const how = follow === true ? "follow" : "once";
        process.exitCode = await (
          await rooms()
        ).serviceLogs(await machine(), { ...meant(options), lines: options.lines, follow: how });
      } catch (error) {
        (await import("./output.ts")).fail(error, { schema: "service-logs/1" });
      }
    });
  service
    .command("print")
    .description("print the files of a service; nothing is written")
    .addOption(kind())
    .addOption(user())
    .addOption(system())
    .addOption(dir())
    .addOption(json())
    .action((options) =>
      answer("service-print", options, async () =>
        (await rooms()).printService(await machine(), meant(options)),
      ),
    );
}

const rooms = () => import("./service.ts");
const machine = async () => (await import("./service-machine.ts")).thisMachine();
