import { existsSync } from "node:fs";
import { readEnvironment, settingVariables, type Environment } from "../config-environment.ts";
import { Problem } from "../problems.ts";
import { badly, broken, ok, type Finding } from "./doctor-finding.ts";
import { checkMode } from "./doctor-modes.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Each fault takes at least one variable away. */
const maxFaults = 50;
const appNames = ["FORGEHAND_APP_ID", "FORGEHAND_PRIVATE_KEY", "FORGEHAND_WEBHOOK_SECRET"];

/**
 * Reads the settings as `up` would, but goes on after a fault: what is wrong is reported and counts as not set, so that
 * one look finds everything.
 */
export function checkEnvironment(
  env: Env,
  readText: (path: string) => string,
): { readonly environment: Environment; readonly findings: readonly Finding[] } {
  const left: Record<string, string | undefined> = { ...env };
  const findings: Finding[] = [];
  for (let faults = 0; faults < maxFaults; faults += 1) {
    try {
      const environment = readEnvironment(left, readText);
      return { environment, findings: [...findings, ...conclusion(environment, findings, env)] };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      findings.push(...reported(error, env, left), ...keyAlone(error, left, readText));
      for (const name of namesBehind(error)) delete left[name];
    }
  }
  return { environment: readEnvironment({}, readText), findings };
}

/** That the App lacks a setting which was just reported as wrong is no second fault. */
function reported(problem: Problem, env: Env, left: Env): readonly Finding[] {
  if (problem.code !== "github-missing") return [badly(problem)];
  const missing = appNames.filter((name) => !isSet(left, name) && !isSet(env, name));
  return missing.length === 0 ? [] : [broken("github-missing", { missing: missing.join(", ") })];
}

/** `up` looks at the key once the App is complete; a wrong one is worth knowing before. */
function keyAlone(problem: Problem, left: Env, readText: (path: string) => string): readonly Finding[] {
  const names = ["FORGEHAND_PRIVATE_KEY", "FORGEHAND_PRIVATE_KEY_FILE"];
  const key = Object.fromEntries(Object.entries(left).filter(([name]) => names.includes(name)));
  if (problem.code !== "github-missing" || Object.keys(key).length === 0) return [];
  try {
    readEnvironment({ FORGEHAND_APP_ID: "1", FORGEHAND_WEBHOOK_SECRET: "any", ...key }, readText);
    return [];
  } catch (error) {
    if (error instanceof Problem) return [badly(error)];
    throw error;
  }
}

const isSet = (env: Env, name: string): boolean =>
  env[name] !== undefined || env[`${name}_FILE`] !== undefined;

function namesBehind(problem: Problem): readonly string[] {
  const both = (name: string): readonly string[] => [name, `${name}_FILE`];
  if (problem.code === "github-missing") return appNames.flatMap(both);
  if (problem.code === "github-key-wrong") return both("FORGEHAND_PRIVATE_KEY");
  const name = String(problem.values["name"] ?? "");
  // A setting may itself end like the file of another.
  return [...both(name.replace(/_FILE$/u, "")), ...both(name)];
}

function conclusion(environment: Environment, findings: readonly Finding[], env: Env): readonly Finding[] {
  const files = settingVariables
    .map((name) => env[`${name}_FILE`])
    .filter((path) => path !== undefined)
    .filter((path) => existsSync(path))
    .map(checkSecretFile);
  if (environment.github !== undefined) {
    const { appId, apiUrl } = environment.github;
    return [...(findings.length === 0 ? [ok(`settings complete: App ${appId} at ${apiUrl}`)] : []), ...files];
  }
  const isKnown = findings.some(({ what }) => /FORGEHAND_(?:APP_ID|PRIVATE_KEY|WEBHOOK_SECRET)/u.test(what));
  return [...(isKnown ? [] : [broken("github-missing", { missing: appNames.join(", ") })]), ...files];
}

/** A group may be meant to read it, as that of the service; everybody never is. */
const checkSecretFile = (path: string): Finding =>
  checkMode({ path, what: `${path}, which holds a secret,`, to: "strangers", mode: "600" });

/** The file of settings that `init` writes: it may hold the App's key. */
export function checkSettingsFile(path: string): readonly Finding[] {
  return existsSync(path)
    ? [checkMode({ path, what: `the file of settings ${path}`, to: "others", mode: "600" })]
    : [];
}
