import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { appManifest, ShippedManifest } from "../adapters/github/registration.ts";
import { pulledHookUrl } from "../config-feed.ts";
import type { Answer } from "./output.ts";

/** `app.yml` as it ships, found upwards from here. */
export function shippedManifest(from = import.meta.dirname): ShippedManifest {
  const path = join(from, "app.yml");
  if (existsSync(path)) return ShippedManifest.parse(parse(readFileSync(path, "utf8")));
  if (dirname(from) === from) throw new Error("app.yml is missing from this installation of forgehand");
  return shippedManifest(dirname(from));
}

/** `forgehand app manifest`: what `init` asks GitHub to make, for a look before. */
export function printManifest(options: {
  readonly url?: string | undefined;
  readonly name?: string | undefined;
}): Answer {
  const hookUrl =
    options.url === undefined ? pulledHookUrl : `${options.url.replace(/\/+$/u, "")}/webhooks/github`;
  const shipped = shippedManifest();
  const manifest = appManifest(shipped, {
    name: options.name ?? shipped.name,
    hookUrl,
    back: undefined,
    publicUrl: originOf(options.url),
  });
  return { schema: "app-manifest/1", data: manifest, text: JSON.stringify(manifest, undefined, 2) };
}

/** Where people would reach the dashboard: the host that takes webhooks, over https alone. */
export function originOf(url: string | undefined): string | undefined {
  const parsed = url === undefined ? null : URL.parse(url);
  return parsed?.protocol === "https:" ? parsed.origin : undefined;
}
