import { expect, test } from "vitest";
import { bundledPersonas } from "../config-persona.ts";
import { defaultConfig } from "../config.ts";
import {
  apiUrlIn,
  boundsIn,
  buildersIn,
  credentialsIn,
  panelIn,
  refuseContradictions,
  type ReviewOptions,
} from "./review-options.ts";

const config = defaultConfig();
const check = (options: ReviewOptions): void => {
  refuseContradictions(options);
  buildersIn(options);
  panelIn(options, bundledPersonas());
  boundsIn(options, config);
};

test.each<[ReviewOptions, string]>([
  [{ diff: "x", base: "main" }, "--diff already says what the change is: leave --base out"],
  [{ diff: "x", staged: true }, "--diff and --staged each name a change"],
  [{ staged: true, worktree: true }, "--staged and --worktree each name a change"],
  [{ staged: true, head: "x" }, "--staged already says what the change is"],
  [{ pr: "acme/web#1", head: "x" }, "--pr already says what the change is"],
  [{ hook: "pre-push", base: "main" }, "leave --base out"],
  [{ post: true }, "--post needs a pull request"],
  [{ json: true, format: "sarif" }, "--json and --format sarif differ"],
  [{ panel: "secutity" }, "did you mean security?"],
  [{ panel: "security,security" }, "is named twice"],
  [{ panel: "builder" }, 'no reviewer is called "builder"'],
  [{ budget: "much" }, "--budget"],
  [{ budget: "0" }, "--budget"],
  [{ timeout: "-1" }, "--timeout"],
  [{ timeout: "" }, "--timeout"],
  [{ builderFamily: "acme" }, "is no family of models"],
  [{ builderFamily: "unknown" }, "is no family of models"],
])("%j is refused with what is wrong", (options, words) => {
  expect(() => check(options)).toThrow(words);
});

test("what is not said has a limit all the same", () => {
  expect(boundsIn({}, config)).toEqual({ usd: config.limits.run_usd, timeoutMs: 30 * 60_000 });
  expect(boundsIn({ budget: "1.5", timeout: "2" }, config)).toEqual({ usd: 1.5, timeoutMs: 120_000 });
});

test("a caller's own token goes before the App, and an empty one is none", () => {
  const github = {
    appId: 1,
    privateKey: "key",
    webhookSecrets: ["s"] as const,
    apiUrl: "https://api.github.com",
  };
  expect(credentialsIn({ github }, { GH_TOKEN: "", GITHUB_TOKEN: " t " })).toEqual({
    is: "token",
    token: "t",
  });
  expect(credentialsIn({ github }, {})).toMatchObject({ is: "app", appId: 1 });
  expect(() => credentialsIn({ github: undefined }, {})).toThrow("GH_TOKEN");
});

test.each<[string, string | undefined, Record<string, string>, string]>([
  ["nothing is said", undefined, {}, "https://api.github.com"],
  ["a runner of Actions says it", undefined, { GITHUB_API_URL: "https://ghe/api/v3" }, "https://ghe/api/v3"],
  ["the operator says it", "https://own/api/v3", { GITHUB_API_URL: "https://ghe/" }, "https://own/api/v3"],
])("where %s, a token goes there and nowhere else", (_, apiUrl, env, url) => {
  expect(apiUrlIn({ apiUrl }, env)).toBe(url);
});
