/** Which database a command is about: the repository's own where somebody stands in one, and no App is set. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { findPlace, localFolder, localFolders } from "../adapters/local/place.ts";
import { type Environment } from "../config-environment.ts";
import { ownSettings } from "./own-settings.ts";
import { ownEnvironment } from "./own-environment.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The settings, with the database that commands look at: FORGEHAND_DATABASE where it is set, the repository's where it has
 * one and no App is set, else that of the data folder.
 */
export function deskEnvironment(env: Env = process.env, folder: string = process.cwd()): Environment {
  const read = ownSettings(env);
  const told = ownEnvironment(env);
  const isNamed = told["FORGEHAND_DATABASE"] !== undefined || told["FORGEHAND_DATABASE_FILE"] !== undefined;
  if (isNamed || read.github !== undefined) return read;
  // Where no repository of this host has anything, none has to be looked for.
  const place = existsSync(localFolders(resolve(read.dataDir))) ? findPlace(folder) : undefined;
  const local = place && localEnvironment(read, localFolder(resolve(read.dataDir), place));
  return local !== undefined && existsSync(local.database) ? local : read;
}

/** The settings for one repository of this host: everything of it lies in a folder of its own, what the operator wrote in the usual one. */
export function localEnvironment(read: Environment, folder: string): Environment {
  const theirs = (file: string): string | undefined => {
    const path = resolve(read.dataDir, file);
    return existsSync(path) ? path : undefined;
  };
  return {
    ...read,
    github: undefined,
    linear: undefined,
    linearWebhookSecrets: undefined,
    dataDir: folder,
    database: join(folder, "forgehand.db"),
    agents: read.agents ?? theirs("agents.yml"),
    mcp: read.mcp ?? theirs("mcp.yml"),
    prices: read.prices ?? theirs("prices.yml"),
    workflows: read.workflows ?? resolve(read.dataDir, "workflows"),
  };
}
