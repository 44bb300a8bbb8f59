import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import type { GitHubSettings } from "../config-environment.ts";
import { Trouble } from "../ports.ts";
import { Problem, problemOf } from "../problems.ts";

/** What an operator can put right about the App's connection; undefined for any other error. */
export function troubleProblem(error: unknown, { appId, apiUrl }: GitHubSettings): Problem | undefined {
  if (!(error instanceof Trouble)) return undefined;
  const status =
    error.cause instanceof Error && "status" in error.cause ? String(error.cause.status) : "no status";
  switch (error.code) {
    case "github-auth":
      return new Problem("github-app-refused", { appId, status }, { cause: error });
    case "github-unavailable":
      return new Problem("github-url-wrong", { url: apiUrl, why: error.message }, { cause: error });
    default:
      return undefined;
  }
}

/** A database on a disk that became read-only cannot be opened, because its log cannot be made: say what is behind it. */
export function databaseProblem(error: unknown, path: string): Problem | undefined {
  const problem = problemOf(error, { path });
  if (problem?.code !== "database-unopenable" || !existsSync(path)) return problem;
  try {
    accessSync(dirname(path), constants.W_OK);
    return problem;
  } catch {
    return new Problem("database-readonly", { path }, { cause: error });
  }
}
