import type { Environment } from "../config-environment.ts";
import { ok, warn, type Finding } from "./doctor-finding.ts";

type Asked = Pick<Environment, "host" | "port" | "github" | "access">;

/** Who can come in to the dashboard, as the settings stand. Asks nobody. */
export function checkAccess(environment: Asked): readonly Finding[] {
  const { github, access } = environment;
  const { publicUrl, client } = access ?? {};
  if (publicUrl === undefined) return [withoutAddress(environment)];
  const told = `the dashboard is known as ${publicUrl}`;
  if (github === undefined)
    return [
      warn(
        `${told}, and nobody can log in there: people log in through a GitHub App, and none is set`,
        "forgehand init",
      ),
    ];
  return [
    client === undefined
      ? warn(
          `${told}, and nobody can log in there: the App's client is not set`,
          "make a client secret on the App's page, and set FORGEHAND_CLIENT_ID and FORGEHAND_CLIENT_SECRET (docs/dashboard.md, For people elsewhere)",
        )
      : ok(`${told}, and people log in there with GitHub`),
  ];
}

function withoutAddress({ host, port, access }: Asked): Finding {
  if (access?.client !== undefined)
    return warn(
      "people could log in with GitHub, and no address is set that GitHub leads them back to",
      "set FORGEHAND_PUBLIC_URL to the https address people know this host by",
    );
  return /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/u.test(host)
    ? ok("the dashboard lets this host's operator in alone; FORGEHAND_PUBLIC_URL lets people log in")
    : ok(
        `port ${port} listens on ${host} beyond this host, and the dashboard answers on it by the names of this host alone; FORGEHAND_PUBLIC_URL lets people log in`,
      );
}
