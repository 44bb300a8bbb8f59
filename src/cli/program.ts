/** The tree of commands. Importing it runs none of them. */
import { Command, Option } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";
import { registerAccess } from "./access-commands.ts";
import { registerAuth } from "./auth-commands.ts";
import { registerConfig } from "./config-commands.ts";
import { registerBootstrap } from "./bootstrap-commands.ts";
import { registerInit } from "./init-commands.ts";
import { registerLists } from "./list-commands.ts";
import { registerLocal } from "./local-commands.ts";
import { registerObservability } from "./observability-commands.ts";
import { topicLines } from "./help-topic-list.ts";
import { registerLinear } from "./linear-commands.ts";
import { registerService } from "./service-commands.ts";
import { registerReview } from "./review-commands.ts";
import { registerCertificates, registerLedger } from "./certificate-commands.ts";
import { registerDoctor } from "./doctor-commands.ts";
import { registerNotify } from "./notify-commands.ts";
import { registerSafety } from "./safety-commands.ts";
import { registerTravel } from "./travel-commands.ts";
import { registerVerbs } from "./verb-commands.ts";
import { registerWorkflows } from "./workflow-commands.ts";
import { ownVersion } from "../version.ts";

/** Every room behind a command is loaded when it is asked for, so that `--help` costs nothing. */
const database = () =>
  new Option(
    "--database <path>",
    "the database file (default: FORGEHAND_DATABASE, the repository's own where no App is set, or forgehand.db below FORGEHAND_DATA_DIR)",
  );
/** Known before the arguments are parsed, because parsing them may be what fails. */
export const wantsJson = process.argv.includes("--json");

function registerUp(program: Command): void {
  program
    .command("up")
    .description("serve: take webhooks, run tickets, until SIGTERM (drains, then resumes at the next start)")
    .option("--supervised", "below a parent that starts it again after a crash, and can update it")
    .addOption(
      new Option(
        "--health-seconds <n>",
        "with --supervised: how long a new version has to prove itself",
      ).default("120"),
    )
    .addOption(database())
    .addOption(json())
    .action(async (options) => {
      if (options.supervised === true) await (await import("./supervise.ts")).supervise(options);
      else await (await import("./up.ts")).up(options);
    });
}

function registerDemo(program: Command): void {
  program
    .command("demo")
    .description("the whole road on a simulated forge: one ticket flagged, two merged")
    .addOption(
      new Option("--agents <kind>", "who does the work")
        .choices(["scripted", "real"] as const)
        .default("scripted" as const),
    )
    .addOption(
      new Option("--tracker <kind>", "where tickets live; a simulated one in either case")
        .choices(["github", "linear"] as const)
        .default("github" as const),
    )
    .option(
      "--dir <path>",
      "where to keep the demo's database, repositories and logs (default: a new temporary folder)",
    )
    .addOption(json())
    .action(async (options) => {
      const { demo } = await import("./demo.ts");
      await demo(options);
    });
}

function registerGc(program: Command): void {
  program
    .command("gc")
    .description(
      "free what runs kept that ended long ago: transcripts, memories, agents' logs, expired cache",
    )
    .option("--days <n>", "how many days everything is kept", "30")
    .option("-n, --dry-run", "only tell what would be freed")
    .addOption(new Option("--database <path>", "one database (default: the tickets' and the workflows')"))
    .addOption(json())
    .action((options) => answer("gc", options, async () => (await import("./gc.ts")).gc(options)));
}

function registerOpen(program: Command): void {
  program
    .command("open")
    .description("a link into the dashboard, good once; opened where there is a browser")
    .option("--no-browser", "only print it")
    .addOption(database())
    .addOption(json())
    .action((options) => answer("open", options, async () => (await import("./open.ts")).open(options)));
}

function registerPs(program: Command): void {
  program
    .command("ps")
    .description("open tickets: state, round, age, cost, what comes next")
    .option("-a, --all", "finished ones too")
    .addOption(database())
    .addOption(json())
    .action((options) => answer("ps/2", options, async () => (await import("./ps.ts")).ps(options)));
}

function registerTop(program: Command): void {
  program
    .command("top")
    .description("the board, live in the terminal: approve, stop and retry there, and read what agents say")
    .addOption(database())
    .action(async (options) => {
      try {
        await (await import("./top.ts")).top(options);
      } catch (error) {
        (await import("./output.ts")).fail(error, { schema: "top/1" });
      }
    });
}

function registerResumeAutomerge(program: Command): void {
  program
    .command("resume-automerge")
    .argument("<repository>", "owner/repo")
    .description("let `auto-merge` count again for what was suspended because a merge broke the base")
    .addOption(database())
    .addOption(json())
    .action((name, options) =>
      answer("resume-automerge", options, async () =>
        (await import("./resume-automerge.ts")).resumeAutoMerge(name, options),
      ),
    );
}

function registerCompletion(program: Command): void {
  program
    .command("completion")
    .argument("<shell>", "bash, zsh or fish")
    .description("a script that completes verbs and options; put it where your shell looks")
    .addOption(json())
    .action((shell, options) =>
      answer("completion", options, async () =>
        (await import("./completion.ts")).completion(shell, programOf()),
      ),
    );
}

function registerMan(program: Command): void {
  program
    .command("man", { hidden: true })
    .description("the manual page, in roff")
    .addOption(json())
    .action((options) =>
      answer("man", options, async () => (await import("./man-page.ts")).manPage(programOf(), ownVersion())),
    );
}

/** The names of commands and what registers them, in the order in which help lists them. */
export const groups: readonly (readonly [names: string, register: (program: Command) => void])[] = [
  ["init app", registerInit],
  ["up", registerUp],
  ["demo", registerDemo],
  ["gc", registerGc],
  ["open", registerOpen],
  ["ps", registerPs],
  ["waiting history cost", registerLists],
  ["top", registerTop],
  ["run ticket", registerLocal],
  [
    "why explain inspect logs chat approve deny reject answer signal retry budget stop cancel resume pause attach",
    registerVerbs,
  ],
  ["review", registerReview],
  ["timeline frames tree diff compare rewind fork replay", (program) => registerTravel(program, "anywhere")],
  ["resume-automerge", registerResumeAutomerge],
  ["backup restore halt halt-all unhalt unhalt-all self-update upgrade", registerSafety],
  ["notify", registerNotify],
  ["ledger", registerLedger],
  ["certificate", registerCertificates],
  ["doctor", registerDoctor],
  ["bootstrap", registerBootstrap],
  ["service", registerService],
  ["auth", registerAuth],
  ["token sessions", registerAccess],
  ["linear", registerLinear],
  ["config", registerConfig],
  ["observability", registerObservability],
  ["workflow", registerWorkflows],
  ["completion", registerCompletion],
  // The build writes it into the package.
  ["man", registerMan],
];

const afterHelp = (): string => `
Topics:
${topicLines()}

Examples:
  forgehand run "fix the flaky date test"    a ticket of this repository, from words to a reviewed branch
  forgehand demo                 the whole road on a simulated forge, no account needed
  forgehand init                 make a GitHub App of your own, three clicks
  forgehand doctor               what is missing before \`forgehand up\`, and what to type
  forgehand explain acme/web#42  what a ticket waits for, and what you can do`;

/**
 * The tree of commands. Making all of it takes longer than most commands do: of a verb that is known only its own part is made.
 */
export function programOf(verb?: string): Command {
  const program = new Command("forgehand")
    .description("A hand for your forge: labelled issues become reviewed, merged pull requests.")
    .version(ownVersion())
    .showSuggestionAfterError()
    .showHelpAfterError(
      "(`forgehand help` lists the commands, `forgehand help <command>` one command's options)",
    )
    .configureHelp({ sortSubcommands: false })
    .configureOutput({
      writeErr: (text) => {
        if (!wantsJson) process.stderr.write(text);
      },
    })
    // Inherited by every command below, so it comes first.
    .exitOverride()
    .addHelpText("after", afterHelp);
  const own = groups.filter(([names]) => verb !== undefined && names.split(" ").includes(verb));
  for (const [, register] of own.length > 0 ? own : groups) register(program);
  return program;
}
