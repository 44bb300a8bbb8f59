import type { Viewer } from "../ports-dashboard.ts";
import { userInfo } from "node:os";

/** Who types here. A container may run as a user that has no name. */
export function operator(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}

/** Whoever reads the database on this host sees all of it. */
export const everything: Viewer = { who: "operator", rights: "operator" };
