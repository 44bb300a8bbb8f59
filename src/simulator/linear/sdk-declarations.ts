import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { asset } from "../../assets.ts";

/** The generated part of the declarations of `@linear/sdk`; the build keeps it, because an installation has no SDK. */
export function sdkDeclarations(): string {
  const kept = asset("simulator/linear/declarations.txt");
  return existsSync(kept) ? readFileSync(kept, "utf8") : declarationsOfSdk();
}

/** The same from the SDK itself: from its scalars to the first type made for one query. */
export function declarationsOfSdk(): string {
  const folder = dirname(createRequire(import.meta.url).resolve("@linear/sdk"));
  const name = readdirSync(folder).find((one) => /^index-.+\.d\.mts$/.test(one));
  if (name === undefined)
    throw new Error(
      `@linear/sdk has no dist/index-*.d.mts in ${folder}: install exactly the version of package.json`,
    );
  const text = readFileSync(join(folder, name), "utf8");
  const from = text.indexOf("\ntype Scalars = {");
  const to = text.search(/\ntype \w+Fragment = /);
  if (from === -1 || to === -1)
    throw new Error(
      `${join(folder, name)} is not laid out as in @linear/sdk 98: sdk-declarations.ts must learn the new layout`,
    );
  return text.slice(from, to);
}
