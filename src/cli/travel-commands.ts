import { Option, type Command } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";
import type { Answer } from "./output.ts";

const database = () =>
  new Option("--database <path>", "where runs are kept (default: .forgehand/workflows.db)");
const aRun = "its name, the beginning of it, or `latest`";
const force = () => new Option("--force", "even where something is left that cannot be taken back");

interface Place {
  readonly database?: string | undefined;
}
/** Finds the run that was named, and the database it is in. */
type Find = <Options extends Place>(
  text: string,
  options: Options,
  work: (run: string, options: Options) => Promise<Answer>,
) => Promise<Answer>;
const inRuns: Find = (text, options, work) => work(text, options);
const anywhere: Find = async (text, options, work) =>
  await (
    await import("./verbs.ts")
  ).runOnly(text, { database: options.database }, (run, { database: found }) =>
    work(run, { ...options, database: found }),
  );

/** Verbs that look at what a run was, take it back, or begin another from there. */
export function registerTravel(program: Command, where: "runs" | "anywhere"): void {
  const find = where === "runs" ? inRuns : anywhere;
  looking(program, find);
  moving(program, find);
}

function looking(program: Command, find: Find): void {
  program
    .command("timeline")
    .argument("<run>", aRun)
    .description("the frames of a run: one for each attempt, and every rewind")
    .addOption(database())
    .addOption(json())
    .action((run, options) =>
      answer("workflow-timeline", options, () =>
        find(run, options, async (id, at) => (await import("./workflow-frames.ts")).timeline(id, at)),
      ),
    );
  program
    .command("frames")
    .alias("tree")
    .argument("<run>", aRun)
    .description("the tree of a run as it was at a frame, and how far each leaf was")
    .option("--frame <n>", "which (default: the last)")
    .addOption(database())
    .addOption(json())
    .action((run, options) =>
      answer("workflow-frame", options, () =>
        find(run, options, async (id, at) => (await import("./workflow-frames.ts")).frames(id, at)),
      ),
    );
  program
    .command("diff")
    .argument("<run>", aRun)
    .argument(find === anywhere ? "[from]" : "<from>", "a frame")
    .argument(find === anywhere ? "[to]" : "<to>", "another frame")
    .description(
      find === anywhere
        ? "what changed between two frames of a run: outputs, the tree, files; without frames, what a ticket of this repository changes"
        : "what changed between two frames of a run: outputs, the tree, files",
    )
    .addOption(database())
    .addOption(json())
    .action((run, from, to, options) =>
      from === undefined
        ? answer("diff", options, async () => await ticketDiff(run, options))
        : answer("workflow-diff", options, () =>
            find(run, options, async (id, at) =>
              (await import("./workflow-frames.ts")).diff(id, from, to ?? from, at),
            ),
          ),
    );
  program
    .command("compare")
    .argument("<run>", aRun)
    .argument("<other>", "another run")
    .description("two runs: how they ended, what they gave that differs")
    .addOption(database())
    .addOption(json())
    .action((run, other, options) =>
      answer("workflow-compare", options, () =>
        find(run, options, async (id, at) => (await import("./workflow-frames.ts")).compare(id, other, at)),
      ),
    );
}

async function ticketDiff(name: string, options: { readonly json?: true | undefined }): Promise<Answer> {
  const [{ diffTicket }, { printPaged }] = await Promise.all([
    import("./local-ticket.ts"),
    import("./pager.ts"),
  ]);
  return await printPaged(await diffTicket(name), options);
}

function moving(program: Command, find: Find): void {
  program
    .command("rewind")
    .argument("<run>", aRun)
    .description("take a run back to a frame, its files with it; nothing is lost")
    .option("--frame <n>", "to this frame; 0 is the beginning")
    .option("--undo [rewind]", "take the newest rewind back, or all down to this one")
    .addOption(force())
    .addOption(database())
    .addOption(json())
    .action((run, options) =>
      answer("workflow-rewind", options, () =>
        find(run, options, async (id, at) => (await import("./workflow-travel.ts")).rewind(id, at)),
      ),
    );
  program
    .command("fork")
    .argument("<run>", aRun)
    .description("begin another run from a frame of this one, which stays as it is")
    .option("--frame <n>", "from this frame (default: the last)")
    .option("--input <json>", "with another input: JSON, or @FILE")
    .option("--reset <task>", "do this task again, and all that began after it")
    .option("--files <dir>", "work in a new worktree there, with the files of that frame")
    .option("--run <name>", "what to call it")
    .addOption(force())
    .addOption(database())
    .addOption(json())
    .action((run, options) =>
      answer("workflow-fork", options, () =>
        find(run, options, async (id, at) => (await import("./workflow-travel.ts")).fork(id, at)),
      ),
    );
  program
    .command("replay")
    .argument("<run>", aRun)
    .description("do a run over with its file as it is now, taking what it gave instead of working")
    .option("--frame <n>", "what it gave up to this frame; later parts are really done (default: the last)")
    .option("--dry", "do nothing; only say what would be taken and what would be done")
    .option("--run <name>", "what to call it")
    .addOption(force())
    .addOption(database())
    .addOption(json())
    .action((run, options) =>
      answer("workflow-run", options, () =>
        find(run, options, async (id, at) => (await import("./workflow-travel.ts")).replay(id, at)),
      ),
    );
}
