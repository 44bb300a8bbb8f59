/** A repository of this host as the home: tickets in files, its branches as the forge, one person who may do everything. */
import { pathToFileURL } from "node:url";
import { gitRunner } from "./adapters/git/run.ts";
import { watchFiles, type FileDelivery } from "./adapters/local/feed.ts";
import { localForge } from "./adapters/local/forge.ts";
import { localCi, localHooks } from "./adapters/local/house.ts";
import { personGit } from "./adapters/local/person-git.ts";
import { claimTicketNumber, writeTicket } from "./adapters/local/new-ticket.ts";
import type { LocalPlace } from "./adapters/local/place.ts";
import { openRecords } from "./adapters/local/records.ts";
import { localRefs, type LocalRefs } from "./adapters/local/refs.ts";
import type { TicketFolders } from "./adapters/local/ticket-folder.ts";
import { localTracker, type LocalDesk } from "./adapters/local/tracker.ts";
import { localVoice } from "./adapters/local/voice.ts";
import type { Home, HomeParts, OpenHome } from "./home.ts";
import { openGit } from "./host.ts";
import { connectTrackers } from "./linear-side.ts";
import { serveAt } from "./serve.ts";
import { openLoop } from "./shell/loop.ts";
import type { RepoRules } from "./shell/workshop.ts";
import { healthOf } from "./standby.ts";
import { forgeTicketId, hereInstallation } from "./state-machine/ticket-id.ts";
import type { KnownRepo } from "./store/repos.ts";
import type { Delivery } from "./webhooks/github.ts";
import type { LocalDelivery, LocalNews } from "./webhooks/read-local.ts";
import { createServer } from "./webhooks/server.ts";
import { specHash } from "./webhooks/spec-hash.ts";

export interface LocalHomeOptions {
  readonly place: LocalPlace;
  /** Where its records lie. */
  readonly folder: string;
  readonly folders: TicketFolders;
  /** The branch that tickets grow from and are merged into. */
  readonly base: string;
  /** Who works at this host. */
  readonly operator: string;
  /** Runtimes that are there. */
  readonly runtimes: readonly string[];
  /** The person's environment, of which git reads their settings. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

const gitMs = 5 * 60_000;
/** Between two looks at files and branches. */
const lookMs = 1_000;
/** The dashboard, for this host alone; any free port, since each repository has one. `forgehand open` finds it. */
const dashboardAt = { host: "127.0.0.1", port: 0 };
const author = { name: "forgehand", email: "forgehand@localhost" };
const bot = "forgehand[bot]";

/** Opens the home on one repository. */
export const localHome =
  (options: LocalHomeOptions): OpenHome =>
  async (parts) => {
    const { environment, store, clock, log, searchPath, premises } = parts;
    const { place, folder, folders, base, operator, env } = options;
    const repo = {
      id: place.id,
      owner: "local",
      name: place.name,
      installation: hereInstallation,
      defaultBranch: base,
      private: true,
    };
    const refs = localRefs(place, gitRunner(searchPath, gitMs));
    const records = openRecords(folder);
    const desk: LocalDesk = { repo, folders, records, clock, operator, bot };
    await followBase(desk, refs);
    const git = await openGit({
      environment,
      log,
      clock,
      searchPath,
      premises,
      author,
      credentials: async () => undefined,
    });
    const person = personGit({ searchPath, env });
    const forge = localForge({ ...desk, refs, person, author, gitDir: place.gitDir });
    const trackers = connectTrackers({
      environment,
      store,
      clock,
      log,
      rules: parts.linearRules,
      github: { forge, tracker: localTracker(desk), voice: localVoice(desk) },
      labelName: (_issue, label) => label,
    });
    return {
      app: { id: 0, login: bot },
      forge,
      trackers,
      ci: localCi(refs),
      hooks: localHooks(desk, refs),
      git,
      rulesOf: rulesHere(parts.rulesOf, options.runtimes),
      remoteOf: (one) => ({ repo: one, url: pathToFileURL(place.gitDir).href }),
      writesTickets: {
        repo: repo.id,
        claim: () => claimTicketNumber({ folder, folders }),
        write: (number, { title, body, labels }) => {
          const writing = { folder, folders, author: operator, now: clock.now() };
          const order = { words: title, body, labels, where: "own" } as const;
          return writeTicket(writing, order, number) && forgeTicketId(repo, number);
        },
      },
      listen: async (keep, web, ready) => {
        const stopLooking = await listen(desk, refs, parts, keep);
        const app = createServer({ github: undefined, web, health: healthOf(store), ready, log });
        const served = await serveAt(app.fetch, dashboardAt).catch(async (error: unknown) => {
          await stopLooking();
          throw error;
        });
        return {
          url: served.url,
          stop: async () => {
            await stopLooking();
            await served.stop();
          },
        };
      },
    };
  };

/** A base that was renamed takes the pull requests along that were open on it, as a forge would. */
async function followBase({ records, repo }: LocalDesk, refs: LocalRefs): Promise<void> {
  for (const record of records.all())
    if (
      record.is === "pull" &&
      record.open &&
      record.base !== repo.defaultBranch &&
      (await refs.tip(record.base)) === undefined
    )
      records.keep({ ...record, base: repo.defaultBranch });
}

/** The repository's own rules, without the waits that are for others: no checks announce themselves here, and one person reviews. */
function rulesHere(rulesOf: HomeParts["rulesOf"], runtimes: readonly string[]): Home["rulesOf"] {
  const known = new WeakMap<RepoRules, RepoRules>();
  return (repo: KnownRepo) => {
    const rules = rulesOf(repo);
    const cached = known.get(rules);
    if (cached !== undefined) return cached;
    const { config } = rules;
    const [first] = runtimes;
    const usual =
      runtimes.includes(config.runtime.default) || first === undefined ? config.runtime.default : first;
    const here: RepoRules = {
      ...rules,
      config: {
        ...config,
        runtime: { ...config.runtime, default: usual },
        merge: { ...config.merge, settle_seconds: 0 },
        limits: { ...config.limits, feedback_seconds: 0 },
        after_merge: { ...config.after_merge, watch_minutes: 0 },
      },
    };
    known.set(rules, here);
    return here;
  };
}

type Keep = (delivery: Delivery) => Promise<"stored" | "repeat">;

async function listen(
  desk: LocalDesk,
  refs: LocalRefs,
  { clock, log }: HomeParts,
  keep: Keep,
): Promise<() => Promise<void>> {
  const { id, owner, name, defaultBranch } = desk.repo;
  const tell = async (of: string, told: Omit<LocalDelivery, "repo" | "by">): Promise<void> => {
    const body: LocalDelivery = { repo: { id, owner, name, defaultBranch }, by: desk.operator, ...told };
    const delivery = {
      id: of,
      source: "local",
      name: told.news[0]?.type ?? "nothing",
      action: undefined,
    } as const;
    await keep({ ...delivery, body: JSON.stringify(body), receivedAt: clock.now() });
  };
  const lookAtFiles = watchFiles(desk, async (delivery) =>
    tell(delivery.id, { ticket: delivery.number, news: newsOf(delivery) }),
  );
  const lookAtBranches = watchBranches(desk, refs, tell);
  const loop = openLoop({
    name: "local",
    clock,
    log,
    work: async () => {
      await lookAtFiles();
      await lookAtBranches();
      return clock.now() + lookMs;
    },
  });
  // Once before anybody waits for anything: what lies there is known from the start.
  await lookAtFiles();
  loop.poke();
  return loop.stop;
}

/** A label releases the text as it stood beside it. */
const newsOf = ({ news, found }: FileDelivery): LocalNews[] =>
  news.map((one) =>
    one.type === "labelled" || one.type === "unlabelled"
      ? one.type === "labelled" && found !== undefined
        ? { type: one.type, label: one.label, spec: specHash(found.ticket) }
        : { type: one.type, label: one.label }
      : one.type === "issue.closed"
        ? one
        : { type: one.type },
  );

/** Tells of branches that moved since the last look; what moved before the first, the reconciler finds. */
function watchBranches(
  { repo, records, clock }: LocalDesk,
  refs: LocalRefs,
  tell: (of: string, told: Omit<LocalDelivery, "repo" | "by">) => Promise<void>,
): () => Promise<void> {
  let seen: ReadonlyMap<string, string> | undefined;
  let wereOpen: ReadonlySet<number> = new Set();
  return async () => {
    const tips = await refs.tips(repo.defaultBranch);
    const before = seen ?? tips;
    const pulls = records.all().flatMap((one) => (one.is === "pull" ? [one] : []));
    const open = pulls.filter((one) => one.open);
    // Whoever else looked at it first has written down that it is over, and told nobody.
    const ended = pulls.filter(({ number, open: isOpen }) => !isOpen && wereOpen.has(number));
    const base = tips.get(repo.defaultBranch);
    const isBaseNew = base !== before.get(repo.defaultBranch);
    const of = (what: string): string => `local:${repo.id}:${what}:${clock.now()}`;
    if (isBaseNew && base !== undefined)
      await tell(of(`base:${base}`), { news: [{ type: "config.changed", at: base }] });
    for (const { number, branch } of open) {
      const head = tips.get(branch);
      const isNew = head !== before.get(branch);
      if (head !== undefined && isNew)
        await tell(of(`${number}:${head}`), { pull: number, news: [{ type: "pull.moved", head }] });
      // Merged by hand, perhaps, or its branch deleted: the facts tell.
      if (isBaseNew || (head === undefined && isNew))
        await tell(of(`${number}:closed`), {
          pull: number,
          news: [{ type: "pull.closed" }],
        });
    }
    for (const { number } of ended)
      await tell(of(`${number}:ended`), { pull: number, news: [{ type: "pull.closed" }] });
    seen = tips;
    wereOpen = new Set(open.map(({ number }) => number));
  };
}
