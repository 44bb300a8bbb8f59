/** `forgehand bootstrap PATH`: the same as one commit on a branch of a clone, and no forge. No checked out file changes. */
import { resolve } from "node:path";
import { onboardingBranch as branch } from "../../bootstrap/says-onboarding.ts";
import type { BootstrapYard } from "../adapters/git/bootstrap-yard.ts";
import { openBareYard } from "../adapters/git/bootstrap-yard.ts";
import {
  borrowObjects,
  branchInfo,
  headOf,
  isCheckedOut,
  moveBranch,
  standingOf,
  yardIn,
} from "../adapters/git/bootstrap-clone.ts";
import { findRepository, type Repository } from "../adapters/git/change.ts";
import { exitCodes } from "../problems.ts";
import type { Sha } from "../state-machine/ticket.ts";
import { atDesk, type BootstrapDesk } from "./bootstrap-desk.ts";
import { propose, type Proposal } from "./bootstrap-ground.ts";
import { answerOf, onlyConflicts, type Told } from "./bootstrap-text.ts";
import { verifyCommands } from "./bootstrap-verify.ts";
import type { BootstrapOptions, Mode } from "./bootstrap-options.ts";
import { Failure, oneLine, type Answer } from "./output.ts";
import { shellWord } from "./shell-word.ts";

const author = { name: "forgehand", email: "forgehand@localhost" };

export async function bootstrapClone(path: string, mode: Mode, options: BootstrapOptions): Promise<Answer> {
  return await atDesk(async (desk) => {
    const folder = resolve(path);
    const repository = await findRepository(folder, desk.env);
    if (repository === undefined)
      throw new Failure(
        exitCodes.notFound,
        `${oneLine(folder)} is in no git repository. Make it one (git init, then a first commit), or name one on GitHub: forgehand bootstrap OWNER/REPO`,
      );
    return answerOf(await inClone({ desk, repository, path, mode, options }));
  });
}

interface Clone {
  readonly desk: BootstrapDesk;
  readonly repository: Repository;
  /** As the caller named it. */
  readonly path: string;
  readonly mode: Mode;
  readonly options: BootstrapOptions;
}

async function inClone(clone: Clone): Promise<Told> {
  const { desk, repository, path, mode, options } = clone;
  const yard = yardIn(repository, desk.dir, desk.searchPath);
  const base = await headOf(yard);
  if (base === undefined)
    throw new Failure(
      exitCodes.usage,
      `${oneLine(path)} has no commit yet. Make a first one (git commit --allow-empty -m "Begin"), then run the same command again`,
    );
  const earlier = mode === "check" ? undefined : await standingOf(yard, branch, base, author.email);
  if (earlier === "unrelated")
    throw new Failure(
      exitCodes.locked,
      `${branch} in ${oneLine(path)} has nothing in common with what is checked out, so it is somebody else's. Rename it (git branch -m ${branch} OTHER), then run the same command again`,
    );
  // Looking leaves nothing in the clone: what has to be written for it is written beside.
  const beside = mode === "propose" ? undefined : await openBareYard(desk.dir, desk.searchPath);
  if (beside !== undefined) await borrowObjects(beside, repository);
  const used: BootstrapYard = beside ?? yard;
  const { name: defaultBranch, remote } = await branchInfo(yard);
  const standing = earlier === undefined || earlier.fork === earlier.tip ? undefined : earlier;
  const proposal = await propose(used, { base, branch: standing, defaultBranch, options });
  const { plan, detected, patch, isEmpty, isUpdate, isConflicted } = proposal;
  const warnings = [
    ...(isConflicted
      ? [`${branch} and what is checked out are in conflict; settle that on the branch.`]
      : []),
    ...(options.agent === true
      ? [
          "--agent opens an issue once a forge has the merge: forgehand bootstrap OWNER/REPO, after pushing it.",
        ]
      : []),
  ];
  const told = { repository: path, plan, detected, warnings };
  const word = shellWord(path);
  const conflicts = plan.kept.filter(({ is }) => is === "conflict").length;
  if (mode === "check") {
    const differs = !isEmpty || conflicts > 0;
    const next = `forgehand bootstrap ${word}${isUpdate ? " --update" : ""}`;
    return {
      ...told,
      patch,
      outcome: differs ? "would-change" : "nothing-to-do",
      ...(differs ? { exit: exitCodes.failed } : {}),
      says:
        isEmpty && differs
          ? onlyConflicts(path)
          : differs
            ? `${path} ${isUpdate ? "differs from what would be generated now" : "is not set up"}: ${next}`
            : `${path} is as this forgehand would set it up.`,
    };
  }
  const isTried = options.verify ?? (mode === "propose" && proposal.commit !== undefined);
  const isHeldBack = isUpdate && options.update !== true && !proposal.isPending;
  const verified =
    isTried && !(mode === "propose" && (isEmpty || isHeldBack))
      ? await verifyCommands({ ...desk, yard: used, commit: base, detected })
      : undefined;
  if (mode === "dry-run")
    return {
      ...told,
      patch,
      verified,
      outcome: isEmpty ? "nothing-to-do" : "would-change",
      says: isEmpty
        ? `Nothing would be added to ${path}.`
        : `Nothing was written. To have it as a branch: forgehand bootstrap ${word}`,
    };
  if (isEmpty) return { ...told, outcome: "set-up", says: `${path} is set up; there is nothing to propose.` };
  if (isHeldBack)
    return {
      ...told,
      plan: { ...plan, changes: [] },
      outcome: "update-available",
      says: `${path} is set up. This forgehand would change something: forgehand bootstrap ${word} --update proposes it, --check shows it.`,
    };
  if (proposal.commit === undefined)
    return {
      ...told,
      outcome: "unchanged",
      branch: { name: branch, head: earlier?.tip ?? "" },
      says: `The branch ${branch} has it all. ${lookAndMerge(word)}`,
    };
  const head = await putBranch(clone, yard, proposal.commit, earlier?.tip);
  return {
    ...told,
    verified,
    outcome: earlier === undefined ? "written" : "updated",
    branch: { name: branch, head },
    says: `Committed on the branch ${branch} (${head.slice(0, 7)}); nothing that is checked out changed. ${lookAndMerge(word)}`,
    hint: remote
      ? "With the GitHub App set up, `forgehand bootstrap OWNER/REPO` opens it as a pull request instead."
      : "Nothing runs before it is merged.",
  };
}

/** Moves nothing under anybody's feet. */
async function putBranch(
  { path }: Clone,
  yard: BootstrapYard,
  commit: NonNullable<Proposal["commit"]>,
  expected: Sha | undefined,
): Promise<Sha> {
  if (await isCheckedOut(yard, branch))
    throw new Failure(
      exitCodes.locked,
      `${branch} is checked out in a worktree of ${oneLine(path)}, and no checked out file is changed here. Go to another branch there (git switch -), then run the same command again`,
    );
  const head = await commit(author);
  if ((await moveBranch(yard, branch, head, expected)) === "done") return head;
  throw new Failure(
    exitCodes.locked,
    `${branch} was moved by somebody else just now; nothing was overwritten. Run the same command again`,
  );
}

const lookAndMerge = (word: string): string =>
  `Look: git -C ${word} diff HEAD...${branch}. Take it: git -C ${word} merge ${branch}`;
