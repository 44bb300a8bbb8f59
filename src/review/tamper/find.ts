import type { DiffFile } from "../diff.ts";
import { accountOf } from "./account.ts";
import { findWeakened } from "./assertions.ts";
import { readChange } from "./change.ts";
import { findConfig } from "./config.ts";
import { findBent, findDoubles, findKnowing } from "./doubles.ts";
import { unreached } from "./hidden.ts";
import type { Hit, Rule } from "./hit.ts";
import { findRetries, findUnreadable } from "./retries.ts";
import { findSilenced } from "./silenced.ts";
import { findSkips } from "./skips.ts";
import { findSnapshots } from "./snapshots.ts";
import { findRemovedTests, removedTests } from "./tests.ts";

/** Signs in a diff that its checks were weakened instead of satisfied; each needs a person. */
export function findTampering(files: readonly DiffFile[]): readonly Hit[] {
  const change = readChange(files);
  const account = accountOf(change);
  const removed = removedTests(change);
  return distinct([
    ...findRemovedTests(change, account, removed),
    ...findSkips(change),
    ...findWeakened(change, account, removed),
    ...unreached(change),
    ...findDoubles(change),
    ...findKnowing(change),
    ...findBent(change),
    ...findRetries(change),
    ...findSnapshots(change),
    ...findConfig(change),
    ...findSilenced(change),
    ...findUnreadable(change),
  ]);
}

/** What a more exact rule says of the same place or file need not be said twice. */
function distinct(hits: readonly Hit[]): readonly Hit[] {
  const has = (rule: Rule, { path, line }: Hit, near: "line" | "file"): boolean =>
    hits.some((one) => one.rule === rule && one.path === path && (near === "file" || one.line === line));
  return hits.filter((hit) => {
    if (hit.rule === "test-removed") return !has("test-skipped", hit, "line");
    if (hit.rule === "assertion-removed") return !has("assertion-unreached", hit, "file");
    return true;
  });
}
