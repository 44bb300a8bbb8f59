import type { GitHubSettings } from "../config-environment.ts";
import { Trouble } from "../ports.ts";
import { Problem } from "../problems.ts";

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
