import { readLayer } from "../config-layer.ts";
import { readWorkflow, workflowPath, isWorkflow } from "../config-workflow.ts";
import { configPath, otherConfigPath, type FileProblem } from "../config.ts";
import { inForce } from "../says.ts";
import { configCheck, configCheckName, configNotice, configRight, faultTitle } from "../says-config.ts";
import { Trouble, type Key } from "../ports.ts";
import type { Annotation } from "../ports-notices.ts";
import type { OutboxEffect } from "../store/outbox.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Answer } from "./act.ts";
import type { Workshop } from "./workshop.ts";

type Tell = Extract<OutboxEffect, { type: "config.tell" }>;
type Look = Extract<OutboxEffect, { type: "config.check" }>;

const gone: Answer = { is: "dropped", note: "the App is no longer installed there" };
const markerOf = (since: string): string => `config ${since}`;

/** Tells what is wrong with a configuration as it is now: a check with its remarks, and one issue while it lasts. */
export async function tellConfig(shop: Workshop, { repo: id, since }: Tell, key: Key): Promise<Answer> {
  const repo = await shop.store.repoById(id);
  if (repo === undefined || repo.removedAt !== undefined) return gone;
  const { faults, soundAt } = shop.rulesOf(repo);
  if (repo.configAt !== undefined)
    await writeCheck(shop, key, { repo, head: repo.configAt, faults, soundAt });
  if (repo.toldSince !== since) {
    await shop.voice.closeNotice(key, repo, markerOf(since), configRight(repo.configAt));
    return { is: "done", note: "it is right again" };
  }
  const number = await shop.voice.writeNotice(
    key,
    repo,
    markerOf(since),
    configNotice({
      repo: `${repo.owner}/${repo.name}`,
      faults,
      meanwhile: inForce(soundAt),
      lineUrl: (path, line) => lineUrl(shop, repo, path, line),
    }),
  );
  return { is: "done", note: `#${number} says what is wrong` };
}

/** Where people read a line of a repository's own file. */
export function lineUrl(
  shop: Pick<Workshop, "remoteOf">,
  repo: KnownRepo,
  path: string,
  line: number,
): string {
  const root = shop.remoteOf(repo).url.replace(/\.git$/u, "");
  const at = repo.configAt ?? repo.defaultBranch;
  return `${root}/blob/${at}/${path.split("/").map(encodeURIComponent).join("/")}#L${line}`;
}

interface Said {
  readonly repo: KnownRepo;
  readonly head: string;
  readonly faults: readonly FileProblem[];
  readonly soundAt: string | undefined;
}

async function writeCheck(shop: Workshop, key: Key, { repo, head, faults, soundAt }: Said): Promise<void> {
  const until = `Until it is corrected, no new ticket starts here, and ${inForce(soundAt)}.`;
  await shop.voice.writeCheck(key, repo, head, {
    name: configCheckName,
    status: "completed",
    ...configCheck(faults, until),
    externalId: `config:${head}`,
    detailsUrl: undefined,
    annotations: annotationsOf(faults),
    buttons: [],
  });
}

/** Only files of this repository have lines that can be remarked on in it. */
const annotationsOf = (faults: readonly FileProblem[]): readonly Annotation[] =>
  faults
    .filter(({ repo }) => repo === undefined)
    .map(({ path, line, column, message }) => ({ path, line, column, title: faultTitle, message }));

/**
 * Looks at the files of configuration that a pull request changes, as data: nothing they say is followed, and nothing of
 * them counts.
 */
export async function checkPullConfig(shop: Workshop, effect: Look, key: Key): Promise<Answer> {
  const repo = await shop.store.repoById(effect.repo);
  if (repo === undefined || repo.removedAt !== undefined) return gone;
  const changed = new Set(await shop.forge.paths({ repo, number: effect.pull }));
  const { workflow } = repo.sources ?? {};
  const known = [configPath, otherConfigPath, workflow?.path ?? workflowPath];
  const touched = known.filter((path) => changed.has(path));
  if (touched.length === 0) return { is: "done", note: "it changes no configuration" };
  const faults: FileProblem[] = [];
  for (const path of touched) {
    const text = await textOf(shop, { repo, path, head: effect.head });
    if (text === undefined) continue;
    if (typeof text !== "string") {
      faults.push({ path, line: 1, column: 1, message: text.unreadable });
      continue;
    }
    const isMarkdown = path.endsWith(".md");
    if (isMarkdown && workflow === undefined && !isWorkflow(text)) continue;
    const { problems } = isMarkdown ? readWorkflow(text) : readLayer(text);
    faults.push(...problems.map((one) => ({ path, ...one })));
  }
  await shop.voice.writeCheck(key, repo, effect.head, {
    name: configCheckName,
    status: "completed",
    ...configCheck(faults, undefined),
    externalId: `config:${effect.head}`,
    detailsUrl: undefined,
    annotations: annotationsOf(faults),
    buttons: [],
  });
  return { is: "done", note: `${faults.length} faults in what it says of configuration` };
}

/** One that can never be read is a fault, as it will be on the default branch. */
async function textOf(
  shop: Workshop,
  { repo, path, head }: { readonly repo: KnownRepo; readonly path: string; readonly head: string },
): Promise<string | { readonly unreadable: string } | undefined> {
  try {
    return (await shop.hooks.file(repo, path, head)).text;
  } catch (error) {
    if (!(error instanceof Trouble) || !error.permanent) throw error;
    return { unreadable: error.message };
  }
}
