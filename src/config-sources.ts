import { readLayer, type Layer } from "./config-layer.ts";
import type { RuleSources, UnderFile } from "./config-layers.ts";
import { extendsPattern } from "./config-schema.ts";
import { isWorkflow, workflowPath } from "./config-workflow.ts";
import { configPath, otherConfigPath, type FileProblem } from "./config.ts";
import { Trouble, type Repo } from "./ports.ts";

/** What the search for a configuration reads with. */
export interface RuleReader {
  /** A file of a repository at a commit of its default branch; at its tip when none is named. */
  file(
    repo: Repo,
    path: string,
    at?: string,
  ): Promise<{ readonly text: string | undefined; readonly at: string }>;
  /** The repository of this name, where the App is installed in it; `unseen` where nobody can look, as in a checkout. */
  repoNamed(owner: string, name: string): Promise<Repo | "unseen" | undefined>;
  /** Other owners whose files may be extended, in lower case; only the operator names any. */
  readonly extendsFrom: readonly string[];
}
export interface FoundRules {
  /** Text of the repository's own file. */
  readonly config: string | undefined;
  readonly sources: RuleSources;
}

/** Files one upon the other, the repository's own not counted. */
const maxDepth = 3;
/** The repository in which an organisation says what holds where nothing else is said. */
const organisationRepo = ".github";

interface Search {
  readonly reader: RuleReader;
  readonly repo: Repo;
  readonly faults: FileProblem[];
  readonly asked: Set<string>;
  /** The first file on the way that not everybody may read who reads the repository: beyond it nothing is named. */
  veil: Pick<UnderFile, "repo" | "path"> | undefined;
}
/** A file on the way, and which it is among all. */
interface Step {
  readonly repo: Repo;
  readonly path: string;
  readonly layer: Layer;
}

/**
 * Finds what makes up a repository's configuration: its own file, a workflow file of Symphony, what it extends, or what
 * its owner says for all. A forge that does not answer is a `Trouble`, never silence; what can never be read is a fault.
 */
export async function findRules(reader: RuleReader, repo: Repo, at: string): Promise<FoundRules> {
  const search: Search = { reader, repo, faults: [], asked: new Set(), veil: undefined };
  const own = await ownFile(search, at);
  const layer = readLayer(own?.text);
  const workflow = await workflowFile(search, at, own && { ...own, layer });
  const under =
    own === undefined
      ? await fromOrganisation(search)
      : await follow(search, [{ repo, path: own.path, layer }]);
  return {
    config: own?.text,
    sources: { path: own?.path, workflow, under, asked: [...search.asked], faults: search.faults },
  };
}

interface TextFile {
  readonly path: string;
  readonly text: string;
}

async function ownFile(search: Search, at: string): Promise<TextFile | undefined> {
  const [first, second] = await Promise.all(
    [configPath, otherConfigPath].map((path) => fileOf(search, search.repo, path, at)),
  );
  if (first !== undefined && second !== undefined)
    search.faults.push({
      path: otherConfigPath,
      line: 1,
      column: 1,
      message: `There are two files of configuration, ${configPath} and ${otherConfigPath}. Remove one of them.`,
    });
  return first ?? second;
}

async function workflowFile(
  search: Search,
  at: string,
  own: (TextFile & { readonly layer: Layer }) | undefined,
): Promise<TextFile | undefined> {
  if (own === undefined) {
    const found = await fileOf(search, search.repo, workflowPath, at);
    return found !== undefined && isWorkflow(found.text) ? found : undefined;
  }
  const path = own.layer.said["workflow_file"];
  if (typeof path !== "string") return undefined;
  const named = await fileOf(search, search.repo, path, at);
  if (named === undefined)
    search.faults.push({
      path: own.path,
      ...own.layer.placeOf(["workflow_file"]),
      message: `There is no file ${path} in this repository.`,
    });
  return named;
}

/** A file that may be missing; one that can never be read is a fault. */
async function fileOf(search: Search, repo: Repo, path: string, at?: string): Promise<TextFile | undefined> {
  try {
    const { text } = await search.reader.file(repo, path, at);
    return text === undefined ? undefined : { path, text };
  } catch (error) {
    if (!(error instanceof Trouble) || !error.permanent) throw error;
    search.faults.push({ ...elsewhere(search, repo), path, line: 1, column: 1, message: error.message });
    return { path, text: "" };
  }
}

const nameOf = ({ owner, name }: Pick<Repo, "owner" | "name">): string => `${owner}/${name}`;
const elsewhere = (search: Search, repo: Repo): Pick<FileProblem, "repo"> =>
  repo.id === search.repo.id ? {} : { repo: nameOf(repo) };

const isHidden = ({ repo }: Search, other: Repo): boolean => other.private && !repo.private;

async function fromOrganisation(search: Search): Promise<readonly UnderFile[]> {
  const { owner, name } = search.repo;
  if (name.toLowerCase() === organisationRepo) return [];
  const target = await search.reader.repoNamed(owner, organisationRepo);
  if (target === undefined || target === "unseen") return [];
  const file = await under(search, target, undefined, "organisation");
  if (file === undefined) return [];
  const step = { repo: target, path: file.path, layer: readLayer(file.text) };
  return [file, ...(await follow(search, [step]))];
}

async function under(
  search: Search,
  target: Repo,
  path: string | undefined,
  how: UnderFile["how"],
): Promise<UnderFile | undefined> {
  search.asked.add(nameOf(target).toLowerCase());
  // The first answer pins the commit for the second.
  let at: string | undefined;
  for (const one of path === undefined ? [configPath, otherConfigPath] : [path]) {
    const found = await readPinned(search, target, one, at);
    at = found.at ?? at;
    if (found.text === undefined) continue;
    const file = { repo: nameOf(target), path: one };
    if (isHidden(search, target)) search.veil ??= file;
    return { ...file, text: found.text, at: at ?? "", how, isHidden: isHidden(search, target) };
  }
  return undefined;
}

async function readPinned(
  search: Search,
  repo: Repo,
  path: string,
  at: string | undefined,
): Promise<{ readonly text: string | undefined; readonly at: string | undefined }> {
  try {
    return await search.reader.file(repo, path, at);
  } catch (error) {
    if (!(error instanceof Trouble) || !error.permanent) throw error;
    // A repository without a commit has no files.
    if (error.code === "github-gone") return { text: undefined, at };
    search.faults.push({
      ...(search.veil ?? { ...elsewhere(search, repo), path }),
      line: 1,
      column: 1,
      message: search.veil === undefined ? "It cannot be read." : veiled,
    });
    return { text: "", at };
  }
}

/** Follows `extends` from the last of these files to what it rests upon. */
async function follow(search: Search, chain: readonly Step[]): Promise<readonly UnderFile[]> {
  const from = chain.at(-1);
  const asked = from?.layer.said["extends"];
  if (from === undefined || typeof asked !== "string") return [];
  const fault = (message: string): readonly UnderFile[] => {
    // What a file says that not everybody may read, it is told alone.
    search.faults.push(
      search.veil === undefined
        ? { ...elsewhere(search, from.repo), path: from.path, ...from.layer.placeOf(["extends"]), message }
        : { ...search.veil, line: 1, column: 1, message: veiled },
    );
    return [];
  };
  const { owner = from.repo.owner, name = "", path } = extendsPattern.exec(asked)?.groups ?? {};
  const target = await search.reader.repoNamed(owner, name);
  search.asked.add(`${owner}/${name}`.toLowerCase());
  if (target === "unseen") return [];
  const isOwn = owner.toLowerCase() === search.repo.owner.toLowerCase();
  if (!isOwn && !search.reader.extendsFrom.includes(owner.toLowerCase()))
    return fault(
      `\`extends: ${asked}\` names another owner's repository. Only those of ${search.repo.owner} may be extended, and owners that the operator names in FORGEHAND_EXTENDS_FROM.`,
    );
  if (chain.length > maxDepth)
    return fault(`More than ${maxDepth} files rest one upon the other: ${shown(chain)}, then \`${asked}\`.`);
  if (target === undefined)
    return fault(
      `\`${owner}/${name}\` cannot be read: there is no such repository, or the App is not installed in it.`,
    );
  const file = await under(search, target, path, "extends");
  if (file === undefined)
    return fault(`There is no ${path ?? `${configPath} and no ${otherConfigPath}`} in \`${owner}/${name}\`.`);
  const step = { repo: target, path: file.path, layer: readLayer(file.text) };
  const isBack = chain.some((one) => one.repo.id === target.id && one.path === file.path);
  // Of its own files it has one.
  if (isBack || target.id === search.repo.id)
    return fault(`It goes round in a circle: ${shown([...chain, step])}.`);
  return [file, ...(await follow(search, [...chain, step]))];
}

const veiled = "What it extends cannot be followed; its own check says why.";

const shown = (chain: readonly Step[]): string =>
  chain.map(({ repo, path }) => `${nameOf(repo)}:${path}`).join(" → ");

/** Whether what this repository says may reach the other: it was asked, or is where an organisation speaks. */
export function reaches(
  from: Pick<Repo, "owner" | "name">,
  to: Pick<Repo, "owner"> & { readonly sources?: RuleSources | undefined },
): boolean {
  if (to.sources?.asked.includes(nameOf(from).toLowerCase()) === true) return true;
  return (
    from.name.toLowerCase() === organisationRepo &&
    from.owner.toLowerCase() === to.owner.toLowerCase() &&
    to.sources?.path === undefined
  );
}

/** A checkout, of which only the files are known. */
export const unseenRepo: Repo = {
  id: 0,
  owner: "",
  name: "",
  installation: 0,
  defaultBranch: "",
  private: true,
};

/** Reads with the App's eyes, knowing all of its repositories. */
export const readerOver = (
  hooks: Pick<RuleReader, "file">,
  repos: readonly Repo[],
  extendsFrom: readonly string[],
): RuleReader => ({
  file: (repo, path, at) => hooks.file(repo, path, at),
  repoNamed: async (owner, name) => repos.find((one) => isNamed(one, owner, name)),
  extendsFrom,
});

/** GitHub's names have no case. */
export const isNamed = (repo: Pick<Repo, "owner" | "name">, owner: string, name: string): boolean =>
  repo.owner.toLowerCase() === owner.toLowerCase() && repo.name.toLowerCase() === name.toLowerCase();
