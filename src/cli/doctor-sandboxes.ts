import { openHousing } from "../adapters/sandboxes/quarters.ts";
import type { Sandbox } from "../adapters/sandboxes/sandbox.ts";
import type { Environment } from "../config-environment.ts";
import { Problem } from "../problems.ts";
import { bad, badly, ok, type Finding } from "./doctor-finding.ts";

/** Can each sandbox that the operator chose be used here? Nothing is started in it but a `true`. */
export async function checkSandboxes(
  environment: Environment,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly Finding[]> {
  try {
    return await Promise.all(openHousing(environment, env).sandboxes.map(finding));
  } catch (error) {
    if (error instanceof Problem) return [badly(error)];
    throw error;
  }
}

async function finding({ name, probe }: Sandbox): Promise<Finding> {
  const { found, version, why } = await probe();
  const called = version === undefined ? name : `${name} ${version}`;
  if (found && why === undefined) return ok(`agents run in the sandbox ${called}`);
  return bad(
    "usage",
    `the sandbox ${called} does not work here`,
    why ?? "choose another with FORGEHAND_SANDBOX",
  );
}
