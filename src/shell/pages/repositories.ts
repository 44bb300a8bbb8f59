/** Repositories as pages show them: whether work may begin there, and whether it can ever end. */
import { ciFound, mergeStanding } from "../../config-merging.ts";
import { layersOf, toldBy, type Told } from "../../config-layers.ts";
import { mayIn, type Viewer } from "../../ports-dashboard.ts";
import type {
  LookedAt,
  RepositoriesPage,
  RepositoryAnswer,
  RepositoryOrders,
  RepositoryPage,
  RepositoryRow,
  RepositoryViews,
} from "../../ports-dashboard-repositories.ts";
import { Trouble } from "../../ports.ts";
import type { Deed } from "../../store/deeds.ts";
import type { KnownRepo } from "../../store/repos.ts";
import { halterNamed, isOfOperator } from "../halts.ts";
import { readConfig } from "../repo-sync.ts";
import { lineUrl } from "../tell-config.ts";
import type { RepoRules, Workshop } from "../workshop.ts";
import { readable } from "./readable.ts";
import { deedIn } from "./deed.ts";

/** Rows of a page. */
const perPage = 50;
/** Faults, and values of the configuration, that are listed. */
const mostFaults = 50;
const mostValues = 400;

export function repositoryViews(shop: Workshop): RepositoryViews {
  return {
    list: (viewer, after) => listOf(shop, viewer, after),
    one: async (viewer, id) => {
      const repo = mayIn(viewer, id, "see") ? await shop.store.repoById(id) : undefined;
      return repo && (await pageOf(shop, viewer, repo));
    },
  };
}

const nameOf = ({ owner, name }: KnownRepo): string => `${owner}/${name}`;

async function listOf(shop: Workshop, viewer: Viewer, after: string | undefined): Promise<RepositoriesPage> {
  const { store, clock } = shop;
  const seen = (await store.knownRepos()).filter(
    (repo) => mayIn(viewer, repo.id, "see") && (after === undefined || nameOf(repo) > after),
  );
  const shown = seen.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1)).slice(0, perPage);
  const halts = (await store.halts()).repos;
  const rows = await Promise.all(
    shown.map(async (repo) => {
      const halt = halts.find((one) => one.repo === repo.id);
      return rowOf(shop, repo, {
        rules: shop.rulesOf(repo),
        onboarding: await onboardingOf(shop, repo),
        looked: await lookedAt(shop, repo.id),
        halt: halt && { by: halt.actor, at: halt.at },
      });
    }),
  );
  const last = shown.at(-1);
  return {
    rows,
    next: seen.length > perPage && last !== undefined ? nameOf(last) : undefined,
    now: clock.now(),
    isOperator: viewer.rights === "operator",
  };
}

interface Known {
  readonly rules: RepoRules;
  readonly onboarding: RepositoryRow["onboarding"];
  readonly looked: LookedAt | undefined;
  readonly halt: RepositoryRow["halt"];
}

function rowOf(shop: Workshop, repo: KnownRepo, { rules, onboarding, looked, halt }: Known): RepositoryRow {
  return {
    id: repo.id,
    name: nameOf(repo),
    isPrivate: repo.private,
    branch: repo.defaultBranch,
    removedAt: repo.removedAt,
    onboarding,
    faults: rules.faults.length,
    runtimes: runtimesOf(rules, shop.runtimes),
    autoMerge: autoMergeOf(looked),
    missingLabels: looked?.missingLabels.length,
    halt,
    syncedAt: repo.syncedAt,
  };
}

/** Those that may be picked there: every one of this host, the usual one first; a name of which there is none is told as such. */
function runtimesOf({ config: { runtime } }: RepoRules, here: readonly string[]): readonly string[] {
  const named = [runtime.default, ...Object.values(runtime.roles).filter((name) => name !== undefined)];
  const absent = named.filter((name) => !here.includes(name)).map((name) => `${name} (not on this host)`);
  const others = here.filter((name) => name !== runtime.default);
  return [...new Set([...(here.includes(runtime.default) ? [runtime.default] : []), ...others, ...absent])];
}

function autoMergeOf(looked: LookedAt | undefined): RepositoryRow["autoMerge"] {
  const findings = looked?.merging;
  if (findings === undefined) return "unknown";
  if (findings.some(({ is }) => is === "never")) return "never";
  return findings.some(({ is }) => is === "warn") ? "with warnings" : "possible";
}

async function onboardingOf({ store }: Workshop, repo: KnownRepo): Promise<RepositoryRow["onboarding"]> {
  const said = (await store.setting(`onboarding:${repo.id}`))?.value ?? "";
  const [, is, pull] = /^(open|over) (\d+)$/u.exec(said) ?? [];
  if (is === "open") return { is: "proposed", pull: Number(pull) };
  if (repo.config !== undefined) return { is: "configured" };
  return is === "over" ? { is: "over", pull: Number(pull) } : { is: "none" };
}

const lookedKey = (repo: number): string => `looked-at-repository:${repo}`;
async function lookedAt({ store }: Workshop, repo: number): Promise<LookedAt | undefined> {
  const kept = await store.recall(lookedKey(repo));
  // As `look` wrote it.
  return kept === undefined ? undefined : (JSON.parse(kept) as LookedAt);
}

async function pageOf(shop: Workshop, viewer: Viewer, repo: KnownRepo): Promise<RepositoryPage> {
  const { store, clock, host } = shop;
  const rules = shop.rulesOf(repo);
  const looked = await lookedAt(shop, repo.id);
  const halt = (await store.halts()).repos.find((one) => one.repo === repo.id);
  const { commands } = rules.config;
  const told = toldBy(rules.config, layersIn(repo, rules));
  const isShown = await shownTo(shop, viewer, told);
  const hidden = new Set(told.flatMap((one) => (isShown(one) ? [] : one.key)));
  return {
    ...rowOf(shop, repo, {
      rules,
      onboarding: await onboardingOf(shop, repo),
      looked,
      halt: halt && { by: halt.actor, at: halt.at },
    }),
    now: clock.now(),
    mayAdminister: mayIn(viewer, repo.id, "administer"),
    configAt: repo.configAt,
    soundAt: rules.soundAt,
    faultsAt: rules.faults.slice(0, mostFaults).map(({ repo: other, path, line, column, message }) => ({
      place: readable(`${other === undefined ? "" : `${other}:`}${path}:${line}:${column}`, 300),
      url: other === undefined ? lineUrl(shop, repo, path, line) : undefined,
      message: readable(message),
    })),
    commands: (["setup", "build", "lint", "test"] as const).flatMap((name) => {
      const command = commands[name];
      return command === undefined || hidden.has(`commands.${name}`)
        ? []
        : [{ name, command: readable(command, 300) }];
    }),
    looked,
    mayLook: host?.desk !== undefined,
    values: told.slice(0, mostValues).map((one) =>
      isShown(one)
        ? {
            key: one.key,
            value: readable(JSON.stringify(one.value), 300),
            from: readable(fromOf(one), 300),
          }
        : { key: one.key, value: "not shown", from: "a repository that you do not see" },
    ),
  };
}

/** What another repository says is for those who see that one too; what is public is for all. */
async function shownTo(
  { store }: Workshop,
  viewer: Viewer,
  told: readonly Told[],
): Promise<(one: Told) => boolean> {
  const others = new Set(told.flatMap(({ from }) => from.flatMap(({ repo }) => repo ?? [])));
  const seen = new Set<string>();
  for (const other of others) {
    const [owner = "", ...name] = other.split("/");
    const known = viewer.rights === "operator" ? undefined : await store.repoNamed(owner, name.join("/"));
    const isSeen = known !== undefined && (!known.private || mayIn(viewer, known.id, "see"));
    if (viewer.rights === "operator" || isSeen) seen.add(other);
  }
  return ({ from }) => from.every(({ repo }) => repo === undefined || seen.has(repo));
}

/** Of the files that are in force, which while something is wrong are the last sound ones. */
const layersIn = (repo: KnownRepo, { soundAt }: RepoRules): ReturnType<typeof layersOf> =>
  soundAt === undefined || repo.sound === undefined
    ? layersOf(repo.config, repo.sources)
    : layersOf(repo.sound.config, repo.sound.sources);

function fromOf({ key, from }: Told): string {
  const places = from.map(({ repo, path, line }) => `${repo === undefined ? "" : `${repo}:`}${path}:${line}`);
  // The house's own stand among them always.
  return [...places, ...(places.length === 0 || key === "paths.protected" ? ["default"] : [])].join(", ");
}

export function repositoryOrders(shop: Workshop): RepositoryOrders {
  const { store, clock } = shop;
  const written = deedIn(shop);
  const deed = (viewer: Viewer, what: string, repo: KnownRepo, note = ""): Deed =>
    written(viewer, what, nameOf(repo), note);
  const asked = async (
    viewer: Viewer,
    id: number,
    work: (repo: KnownRepo) => Promise<RepositoryAnswer>,
  ): Promise<RepositoryAnswer> => {
    const repo = mayIn(viewer, id, "see") ? await store.repoById(id) : undefined;
    if (repo === undefined) return { is: "unknown" };
    return mayIn(viewer, id, "administer") ? await work(repo) : { is: "forbidden" };
  };
  return {
    resync: (viewer, id) =>
      asked(viewer, id, async (repo) => {
        try {
          await readConfig(shop, repo);
          await look(shop, (await store.repoById(id)) ?? repo);
        } catch (error) {
          if (!(error instanceof Trouble)) throw error;
          const why = readable(error.message);
          await store.noteDeed(deed(viewer, "repository read again", repo, why));
          return { is: "refused", why };
        }
        await store.noteDeed(deed(viewer, "repository read again", repo));
        shop.poke("schedule");
        return { is: "done" };
      }),
    halt: (viewer, id, is) =>
      asked(viewer, id, async (repo) => {
        const halt = (await store.halts()).repos.find((one) => one.repo === id);
        // What whoever runs this host halted, only they let go on.
        if (is === "lifted" && halt && isOfOperator(halt.actor) && viewer.rights !== "operator")
          return { is: "forbidden" };
        if (is === "raised") {
          if (halt !== undefined) return { is: "nothing" };
          await store.haltRepo({ id, ref: nameOf(repo) }, halterNamed(viewer), clock.now());
        } else if (!(await store.liftRepoHalt(id))) return { is: "nothing" };
        await store.noteDeed(deed(viewer, is === "raised" ? "repository halted" : "halt lifted", repo));
        for (const loop of ["schedule", "outbox"] as const) shop.poke(loop);
        return { is: "done" };
      }),
  };
}

/** Asks the forge what only it knows, and keeps the answer with its age. */
async function look(shop: Workshop, repo: KnownRepo): Promise<void> {
  const { store, clock, host } = shop;
  if (host?.desk === undefined) return;
  const [missingLabels, seen] = await Promise.all([host.desk.missingLabels(repo), host.desk.merging(repo)]);
  const { config } = shop.rulesOf(repo);
  const merging = seen && [
    ...mergeStanding(nameOf(repo), seen.rules, config, seen.ci),
    ...ciFound(nameOf(repo), config, seen.ci),
  ];
  const told: LookedAt = {
    at: clock.now(),
    missingLabels: missingLabels.map((name) => readable(name, 60)),
    merging: merging?.map(({ is, what, fix }) => ({
      is,
      what: readable(what),
      fix: fix === undefined ? undefined : readable(fix),
    })),
  };
  await store.remember(lookedKey(repo.id), JSON.stringify(told));
}
