import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

const unseen = `# Runs of workflows are nobody's to commit; the workflows themselves are.
/*
!/workflows/
`;

/**
 * Makes the folder of a database. The usual one lies in somebody's repository, where its files would make every checkout
 * look changed, to a workflow that asks for a clean one and to an agent that commits all there is.
 */
export function makeFolder(database: string): void {
  const folder = dirname(resolve(database));
  if (existsSync(folder)) return;
  mkdirSync(folder, { recursive: true });
  if (basename(folder) === ".forgehand") writeFileSync(join(folder, ".gitignore"), unseen);
}
