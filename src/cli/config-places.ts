import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { personaFolder } from "../config-persona.ts";
import type { RuleFiles } from "../config-rules.ts";
import { findRules, isNamed, readerOver, unseenRepo } from "../config-sources.ts";
import { isWorkflow } from "../config-workflow.ts";
import { systemClock } from "../adapters/clock.ts";
import { exitCodes, Problem } from "../problems.ts";
import { ownSettings } from "./own-settings.ts";
import { Failure } from "./output.ts";

/** The files of configuration of some place, and how the place is called. */
export interface FoundPlace extends RuleFiles {
  readonly name: string;
  /** Files of other repositories can be read as well. */
  readonly isWhole: boolean;
}
const repoName = /^([A-Za-z0-9-]{1,39})\/([\w.-]{1,100})$/u;

/** Reads what stands at a place: one file, a checkout, or a repository of the App. */
export async function findPlace(place: string): Promise<FoundPlace> {
  if (place === "-") return oneFile("stdin", readFileSync(0, "utf8"));
  const found = statSync(place, { throwIfNoEntry: false });
  if (found?.isFile() === true) return oneFile(place, readFileSync(place, "utf8"));
  if (found?.isDirectory() === true) return await inCheckout(place);
  const [, owner, name] = repoName.exec(place) ?? [];
  if (owner !== undefined && name !== undefined) return await onForge(owner, name);
  throw new Failure(
    exitCodes.notFound,
    `There is no file or folder ${place}, and it is no OWNER/REPO. Name one of these, or \`-\` for stdin.`,
  );
}

const isMarkdown = (name: string, text: string): boolean => /\.md$/iu.test(name) || isWorkflow(text);

function oneFile(name: string, text: string): FoundPlace {
  const sources = { path: name, workflow: undefined, under: [], asked: [], faults: [] };
  return isMarkdown(name, text)
    ? {
        name,
        isWhole: false,
        config: undefined,
        personas: {},
        sources: { ...sources, path: undefined, workflow: { path: name, text } },
      }
    : { name, isWhole: false, config: text, personas: {}, sources };
}

/** The text of a file; undefined where there is none. */
function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && /^(?:ENOENT|ENOTDIR|EISDIR)$/u.test(String(error.code)))
      return undefined;
    throw error;
  }
}

async function inCheckout(folder: string): Promise<FoundPlace> {
  const reader = {
    file: async (_: unknown, path: string) => ({ text: textAt(join(folder, path)), at: "" }),
    repoNamed: async () => "unseen" as const,
    extendsFrom: [],
  };
  const found = await findRules(reader, unseenRepo, "");
  return { name: folder, isWhole: false, ...found, personas: personasIn(join(folder, personaFolder)) };
}

function personasIn(folder: string): Readonly<Record<string, string | null>> {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return {};
  const files = readdirSync(folder).filter((name) => name.endsWith(".md"));
  return Object.fromEntries(files.map((name) => [basename(name, ".md"), textAt(join(folder, name)) ?? null]));
}

async function onForge(owner: string, name: string): Promise<FoundPlace> {
  const environment = ownSettings();
  const { github: settings } = environment;
  if (settings === undefined)
    throw new Problem("github-missing", { missing: "FORGEHAND_APP_ID and FORGEHAND_PRIVATE_KEY" });
  const { openGitHub } = await import("../adapters/github/app.ts");
  const { githubHooks } = await import("../adapters/github/hooks.ts");
  const { redact } = await import("../secrets.ts");
  const github = openGitHub({
    ...settings,
    userAgent: "forgehand-config",
    clock: systemClock(),
    // It only reads, so there is nothing to remember.
    remember: { get: async () => undefined, set: async () => undefined },
    scrub: redact,
  });
  const hooks = githubHooks(github);
  const repos = await hooks.repos();
  const repo = repos.find((one) => isNamed(one, owner, name));
  if (repo === undefined)
    throw new Failure(
      exitCodes.notFound,
      `The App is not installed in ${owner}/${name}. \`forgehand doctor\` lists where it is; a checkout is read without it.`,
    );
  const { at } = await hooks.file(repo, "AGENTS.md");
  const found = await findRules(readerOver(hooks, repos, environment.extendsFrom ?? []), repo, at);
  const folder = await hooks.folder(repo, personaFolder, at);
  const personas = Object.fromEntries([...folder].map(([persona, text]) => [persona, text ?? null]));
  return { name: `${owner}/${name}`, isWhole: true, ...found, personas };
}

/** What of the configuration cannot be seen from here; undefined when all of it can. */
export function unseenHint({ isWhole, sources, name }: FoundPlace): string | undefined {
  if (isWhole || sources === undefined) return undefined;
  const [extended] = sources.asked;
  const reads = "`forgehand config print OWNER/REPO --origin` reads it as the App does.";
  if (extended !== undefined) return `What it extends is not looked at in ${name}. ${reads}`;
  return sources.path === undefined
    ? `What the organisation says in its .github repository is not looked at in ${name}. ${reads}`
    : undefined;
}
