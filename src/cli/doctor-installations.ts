import type { RestEndpointMethodTypes } from "@octokit/rest";
import type { GitHub } from "../adapters/github/app.ts";
import { unless } from "../adapters/github/trouble.ts";
import { exitCodes } from "../problems.ts";
import { bad, broken, ok, warn, type Finding } from "./doctor-finding.ts";

/** What an App must be granted and hear. */
export interface Wanted {
  readonly permissions: Readonly<Record<string, string>>;
  readonly events: readonly string[];
}
type Installation = RestEndpointMethodTypes["apps"]["listInstallations"]["response"]["data"][number];

/** Below this share of its budget, an installation is about to be refused. */
const fewShare = 0.1;
const levels = ["none", "read", "write", "admin"];

/** What of these permissions was not granted, as `checks: write`. */
export const missingPermissions = (
  wanted: Wanted["permissions"],
  granted: Readonly<Record<string, string | undefined>>,
): readonly string[] =>
  Object.entries(wanted)
    .filter(([name, level]) => levels.indexOf(granted[name] ?? "none") < levels.indexOf(level))
    .map(([name, level]) => `${name}: ${level}`);

/** Each installation: what it granted of what is wanted, what it hears, and what is left of its budget of requests. */
export async function checkInstallations(github: GitHub, wanted: Wanted): Promise<readonly Finding[]> {
  const installations = await github.asApp("list its installations", (octokit) =>
    octokit.paginate(octokit.rest.apps.listInstallations, { per_page: 100 }),
  );
  if (installations.length === 0)
    return [
      bad(
        "permission",
        "the App is installed nowhere",
        "App settings → Install App, then choose repositories",
      ),
    ];
  const findings: Finding[] = [];
  for (const installation of installations) findings.push(...(await checkOne(github, wanted, installation)));
  return findings;
}

async function checkOne(
  github: GitHub,
  wanted: Wanted,
  installation: Installation,
): Promise<readonly Finding[]> {
  const { account, suspended_at: suspended } = installation;
  const owner = account !== null && "login" in account ? account.login : `installation ${installation.id}`;
  const url = installation.html_url;
  if (suspended !== null && suspended !== undefined)
    return [bad("permission", `the installation on ${owner} is suspended`, `lift that at ${url}`)];
  const missing = missingPermissions(wanted.permissions, installation.permissions);
  const accept = `${url.replace(/\/+$/u, "")}/permissions/update`;
  const deaf = wanted.events.filter((event) => !installation.events.includes(event));
  return [
    missing.length === 0
      ? ok(`${owner} granted everything`)
      : {
          ...broken("permissions-missing", { missing: missing.join(", "), owner, url: accept }),
          exit: exitCodes.permission,
        },
    ...(deaf.length === 0
      ? []
      : [
          warn(
            `the installation on ${owner} does not hear ${deaf.join(", ")}`,
            `accept the App's newest settings at ${accept}`,
          ),
        ]),
    ...(await checkBudget(github, installation.id, owner)),
  ];
}

async function checkBudget(github: GitHub, installation: number, owner: string): Promise<readonly Finding[]> {
  // 404: a server of one's own may keep no budgets. Asking costs none.
  const answer = await github.across("list repositories", installation, (octokit) =>
    unless([404], octokit.rest.rateLimit.get()),
  );
  const core = answer?.data.resources.core;
  if (core === undefined || core.limit === 0) return [];
  const left = `${owner}: ${core.remaining} of ${core.limit} requests are left this hour`;
  return [
    core.remaining < core.limit * fewShare
      ? warn(
          left,
          `wait until ${new Date(core.reset * 1000).toISOString()}; forgehand slows down by itself meanwhile`,
        )
      : ok(left),
  ];
}
