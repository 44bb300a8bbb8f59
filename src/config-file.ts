import { z } from "zod";
import type { ReadConfig } from "./config.ts";
import { readLayer } from "./config-layer.ts";
import { RepoConfig } from "./config-schema.ts";

/**
 * Reads the text of a repository's configuration, taken from its default branch at a pinned commit. A wrong part is
 * reported with its place and replaced by its default; the rest counts. Undefined means there is no such file.
 */
export function readConfig(text: string | undefined): ReadConfig {
  const { said, problems } = readLayer(text);
  return { config: RepoConfig.parse(said), problems };
}

/** What is right of a configuration of which none was ever sound; only people merge under it. */
export const guarded = (config: RepoConfig): RepoConfig => ({
  ...config,
  merge: { ...config.merge, after_approval: false },
  paths: { ...config.paths, protected: ["**"] },
});

/** Where editors find the schema of the file, as it is published with the package. */
export const schemaAddress = "https://unpkg.com/forgehand/schema/forgehand.v1.json";

/** The JSON schema of the file, for editors. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return {
    ...z.toJSONSchema(RepoConfig, { io: "input" }),
    $id: schemaAddress,
    title: "forgehand configuration",
  };
}
