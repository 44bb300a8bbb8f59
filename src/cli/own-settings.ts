import { readFileSync } from "node:fs";
import { readEnvironment, type Environment } from "../config-environment.ts";
import { ownEnvironment } from "./own-environment.ts";

/** What forgehand was told, read: the environment of the process over its settings file. */
export const ownSettings = (env: Readonly<Record<string, string | undefined>> = process.env): Environment =>
  readEnvironment(ownEnvironment(env), (file) => readFileSync(file, "utf8"));
