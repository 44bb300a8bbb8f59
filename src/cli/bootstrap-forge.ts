/** `forgehand bootstrap OWNER/REPO`: exactly one onboarding pull request, opened, brought up to date, or left alone. */
import { vocabulary } from "../../bootstrap/labels.ts";
import {
  onboardingBranch as branch,
  onboardingRegion,
  onboardingTitle,
  verifiedIn,
  type OnboardingView,
  type VerifiedCommand,
} from "../../bootstrap/says-onboarding.ts";
import { openGitHub, type GitHub } from "../adapters/github/app.ts";
import {
  branchRules,
  findStanding,
  grownBetween,
  missingLabels,
  onboardingPulls,
  openOnboarding,
  tellOnboarding,
  type OnboardingPull,
  type RepoStanding,
} from "../adapters/github/onboarding.ts";
import {
  fetchShallow,
  isRefusedPush,
  openBareYard,
  pushBranch,
  remoteTips,
  type Author,
  type BootstrapYard,
} from "../adapters/git/bootstrap-yard.ts";
import { requireGitHub } from "../config-environment.ts";
import { onboard } from "../onboarding.ts";
import type { Key } from "../ports.ts";
import { exitCodes, Problem } from "../problems.ts";
import type { Sha } from "../state-machine/ticket.ts";
import { atDesk, type BootstrapDesk } from "./bootstrap-desk.ts";
import { propose, type Proposal, type Standing } from "./bootstrap-ground.ts";
import { answerOf, onlyConflicts, type Told } from "./bootstrap-text.ts";
import { verifyCommands } from "./bootstrap-verify.ts";
import { mergingTold, standingTold } from "./bootstrap-warnings.ts";
import type { BootstrapOptions, Mode } from "./bootstrap-options.ts";
import { Failure, type Answer } from "./output.ts";

interface Forge {
  readonly desk: BootstrapDesk;
  readonly github: GitHub;
  readonly standing: RepoStanding;
  /** `owner/name` */
  readonly name: string;
  readonly author: Author;
  readonly mode: Mode;
  readonly options: BootstrapOptions;
}

export async function bootstrapForge(
  named: { readonly owner: string; readonly name: string },
  mode: Mode,
  options: BootstrapOptions,
): Promise<Answer> {
  return await atDesk(async (desk) => {
    const settings = requireGitHub(desk.environment);
    const github = openGitHub({
      ...settings,
      userAgent: "forgehand",
      clock: desk.clock,
      // All that is written here is found again by its branch, its marker or its name.
      remember: { get: async () => undefined, set: async () => undefined },
      scrub: desk.redact,
    });
    const { slug, id } = await github.identity();
    const standing = await findStanding(github, named.owner, named.name);
    if (standing === undefined)
      throw new Problem("repo-not-installed", {
        repo: `${named.owner}/${named.name}`,
        url: `${new URL(github.gitUrl({ ...nowhere, ...named })).origin}/apps/${slug}/installations/new`,
      });
    requireRights(standing);
    const login = `${slug}[bot]`;
    const author = { name: login, email: `${id}+${login}@users.noreply.github.com` };
    const name = `${standing.repo.owner}/${standing.repo.name}`;
    return answerOf(await onForge({ desk, github, standing, name, author, mode, options }));
  });
}
const nowhere = { id: 0, installation: 0, defaultBranch: "", private: true };

const wanted = { contents: "write", pull_requests: "write", issues: "write" } as const;

/** Said before anything is cloned. */
function requireRights({ repo, granted, isSuspended, isArchived, installationUrl: url }: RepoStanding): void {
  const name = `${repo.owner}/${repo.name}`;
  if (isSuspended)
    throw new Failure(
      exitCodes.permission,
      `The App's installation on ${repo.owner} is suspended. Its owner lifts that at ${url}, then run the same command again`,
    );
  const missing = Object.entries(wanted).filter(([permission, level]) => granted[permission] !== level);
  if (missing.length > 0)
    throw new Problem("permissions-missing", {
      missing: missing.map(([permission, level]) => `${permission}: ${level}`).join(", "),
      owner: repo.owner,
      url,
    });
  if (isArchived)
    throw new Failure(
      exitCodes.permission,
      `${name} is archived, so nothing can be proposed there. Unarchive it in its settings, then run the same command again`,
    );
}

async function onForge(forge: Forge): Promise<Told> {
  const { desk, github, standing, mode } = forge;
  const { repo } = standing;
  const [yard, pulls] = await Promise.all([
    openBareYard(desk.dir, desk.searchPath),
    onboardingPulls(github, repo, branch),
  ]);
  const token = await github.pushToken(repo, "read");
  const network = networkOf(github.gitUrl(repo), token);
  const tips = await remoteTips(yard, network, [repo.defaultBranch, branch]);
  const base = tips.get(repo.defaultBranch);
  if (base === undefined)
    throw new Failure(
      exitCodes.usage,
      `${forge.name} has no commit on ${repo.defaultBranch}. Push a first one, or name another default branch in its settings, then run the same command again`,
    );
  const tip = tips.get(branch);
  // What is told of the default branch has nothing to do with a proposal.
  const earlier =
    mode === "check" || tip === undefined ? undefined : await earlierBranch(forge, pulls, base, tip);
  const here = [base, ...(earlier === undefined ? [] : [earlier.tip, earlier.fork])];
  await fetchShallow(yard, network, here);
  const { options } = forge;
  const proposal = await propose(yard, { base, branch: earlier, defaultBranch: repo.defaultBranch, options });
  const work: Work = { ...forge, yard, pulls, base, tip, proposal };
  switch (mode) {
    case "check":
      return checked(work);
    case "dry-run":
      return await rehearsed(work);
    case "propose":
      return await proposed(work);
  }
}

interface Work extends Forge {
  readonly yard: BootstrapYard;
  readonly pulls: readonly OnboardingPull[];
  readonly base: Sha;
  readonly tip: Sha | undefined;
  readonly proposal: Proposal;
}

const networkOf = (url: string, token: string) => ({
  url,
  header: `Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`,
});
const openOf = (pulls: readonly OnboardingPull[]): OnboardingPull | undefined =>
  pulls.find(({ is }) => is === "open");

/** Undefined for a branch that is over: merged, or kept by GitHub under a pull request of ours that was closed. */
async function earlierBranch(
  { github, standing, author, name }: Forge,
  pulls: readonly OnboardingPull[],
  base: Sha,
  tip: Sha,
): Promise<Standing | undefined> {
  const open = openOf(pulls);
  if (open !== undefined && !open.isOurs)
    throw new Failure(
      exitCodes.locked,
      `Somebody else has a pull request from ${branch} in ${name}: ${open.url}. Close it and delete the branch, then run the same command again`,
    );
  if (open === undefined && pulls.some((pull) => pull.isOurs && pull.head === tip)) return undefined;
  const grown = await grownBetween(github, standing.repo, base, tip);
  if (grown?.fork === tip) return undefined;
  const isOnlyOurs = grown?.isOnlyBy(author.email) === true;
  if (grown !== undefined && (open !== undefined || isOnlyOurs)) return { tip, fork: grown.fork, isOnlyOurs };
  throw new Failure(
    exitCodes.locked,
    `${name} has a branch ${branch} with commits of somebody else and no open pull request of ours. Rename or delete that branch, then run the same command again`,
  );
}

function checked({ name, proposal, pulls }: Work): Told {
  const { plan, detected, isEmpty, isUpdate, patch } = proposal;
  const told = { repository: name, plan, detected, patch };
  const open = openOf(pulls);
  const pull = open?.isOurs === true ? { pull: open } : {};
  const conflicts = plan.kept.filter(({ is }) => is === "conflict").length;
  if (isEmpty && conflicts === 0)
    return {
      ...told,
      ...pull,
      outcome: "nothing-to-do",
      says: `${name} is as this forgehand would set it up.`,
    };
  const next =
    open === undefined
      ? `forgehand bootstrap ${name}${isUpdate ? " --update" : ""}`
      : `it is proposed in ${open.url}`;
  const what = isUpdate ? "differs from what would be generated now" : "is not set up";
  return {
    ...told,
    ...pull,
    outcome: "would-change",
    exit: exitCodes.failed,
    says: isEmpty ? onlyConflicts(name) : `${name} ${what}: ${next}.`,
  };
}

async function rehearsed(work: Work): Promise<Told> {
  const { name, proposal, options } = work;
  const { plan, detected, patch, isEmpty } = proposal;
  const verified = options.verify === true ? await verify(work) : undefined;
  return {
    repository: name,
    plan,
    detected,
    patch,
    verified,
    warnings: await warningsOf(work),
    outcome: isEmpty ? "nothing-to-do" : "would-change",
    says: isEmpty
      ? `Nothing would be proposed to ${name}.`
      : `Nothing was written. To propose it: forgehand bootstrap ${name}`,
  };
}

async function proposed(work: Work): Promise<Told> {
  const { name, proposal, pulls, options, github, standing } = work;
  const { plan, detected, isUpdate, isEmpty } = proposal;
  const told = { repository: name, plan, detected };
  const open = openOf(pulls);
  const newest = pulls.find(({ isOurs }) => isOurs);
  if (open === undefined && (isEmpty || (isUpdate && options.update !== true))) {
    // A person agreed to it by merging it, or by having it all already.
    const { labels, ticket } = await onboard(github, `onboarded:${standing.repo.id}` as Key, standing.repo);
    return {
      ...told,
      ...(isEmpty ? {} : { plan: { ...plan, changes: [] } }),
      outcome: isEmpty ? "set-up" : "update-available",
      says: isEmpty
        ? `${name} is set up; there is nothing to propose.`
        : `${name} is set up. This forgehand would change something: forgehand bootstrap ${name} --update proposes it, --check shows it.`,
      labels: { created: labels, missing: [] },
      ticket,
    };
  }
  if (open === undefined && newest?.is === "closed" && options.again !== true)
    return {
      repository: name,
      outcome: "declined",
      exit: exitCodes.cancelled,
      pull: newest,
      says: `${name} declined it: ${newest.url} was closed. To propose it again: forgehand bootstrap ${name}${isUpdate ? " --update" : ""} --again`,
    };
  return await publish(work, open);
}

async function publish(work: Work, open: OnboardingPull | undefined): Promise<Told> {
  const { name, desk, proposal, github, standing, author, options, yard, tip } = work;
  const { plan, detected, config, isUpdate, commit } = proposal;
  const { repo } = standing;
  const known = open === undefined ? undefined : verifiedIn(open.body, detected);
  const isTried = options.verify === true || (options.verify !== false && known === undefined);
  const verified = isTried ? await verify(work) : known;
  const missing = await missingLabels(github, repo, vocabulary(config.labels));
  const warnings = await warningsOf(work);
  const view: OnboardingView = {
    name,
    isUpdate,
    plan,
    files: proposal.files,
    detected,
    verified,
    warnings,
    readyLabel: config.labels["agent-ready"],
    mergeLabel: config.labels["auto-merge"],
    missingLabels: missing.map((label) => label.name),
  };
  const head = await commit?.(author);
  if (head !== undefined) await pushTo(work, head);
  desk.signal.throwIfAborted();
  const region = onboardingRegion(view);
  const told = {
    repository: name,
    plan,
    detected,
    verified,
    warnings,
    branch: { name: branch, head: head ?? tip ?? "" },
  };
  const hint = `Merge it to begin; after that, label an issue \`${config.labels["agent-ready"]}\`.`;
  if (open === undefined) {
    const pull = await openOnboarding(github, repo, { branch, title: onboardingTitle(view), region });
    return { ...told, outcome: "opened", pull, says: `Opened ${pull.url}`, hint };
  }
  const text = await tellOnboarding(github, repo, open.number, region);
  const isSame = head === undefined && text === "same";
  return {
    ...told,
    outcome: isSame ? "unchanged" : "updated",
    pull: open,
    says: isSame ? `${open.url} is up to date.` : `Brought up to date: ${open.url}`,
    hint,
  };

  async function pushTo({ base }: Work, commitHead: Sha): Promise<void> {
    const network = networkOf(github.gitUrl(repo), await github.pushToken(repo, "write"));
    try {
      const order = { branch, head: commitHead, expected: tip };
      if ((await pushBranch(yard, network, order)) === "pushed") return;
    } catch (error) {
      if (!isRefusedPush(error)) throw error;
      throw new Failure(
        exitCodes.permission,
        `${name} takes no push of the App to ${branch}: ${error.message} Let the App create branches \`forgehand/**\` in the rules of the repository (Settings, Rules), then run the same command again`,
        { cause: error },
      );
    }
    throw new Failure(
      exitCodes.locked,
      `Somebody pushed to ${branch} of ${name} just now (its base is ${base.slice(0, 7)}); nothing was overwritten. Run the same command again`,
    );
  }
}

async function verify({ desk, yard, base, proposal }: Work): Promise<readonly VerifiedCommand[]> {
  return await verifyCommands({ ...desk, yard, commit: base, detected: proposal.detected });
}

async function warningsOf({ github, standing, proposal, name }: Work): Promise<readonly string[]> {
  const { config, detected, isConflicted } = proposal;
  const rules = await branchRules(github, standing.repo);
  return [
    ...(isConflicted
      ? [
          `${branch} and ${standing.repo.defaultBranch} are in conflict in what people committed; settle that on the branch.`,
        ]
      : []),
    ...standingTold(standing, name),
    ...mergingTold(rules, { method: config.merge.method, mergeLabel: config.labels["auto-merge"], detected }),
  ];
}
