/** A board of Linear beside the forge, signed in to before the process that will be killed first starts. */
import { migrateEngine } from "../../src/engine/index.ts";
import { openLinear } from "../../src/linear.ts";
import type { SimApp } from "../../src/simulator/linear/context.ts";
import { startLinear, type RunningLinear } from "../../src/simulator/linear/linear.ts";
import { personOn, type Person } from "../../src/simulator/linear/people.ts";
import type { SimIssue, SimTeam } from "../../src/simulator/linear/world.ts";
import type { RunningHub } from "../../src/simulator/hub/hub.ts";
import { openSqlite } from "../../src/sql.ts";
import { linearTicketId } from "../../src/state-machine/ticket-id.ts";
import { makeLease, migrate } from "../../src/store/database.ts";
import { openStore } from "../../src/store/store.ts";
import { noRuns } from "../../src/store/steps.ts";
import { installForgehand, settingsOf, usualColumns } from "../../src/simulator/linear/forgehand.ts";

export interface CardStage {
  readonly linear: RunningLinear;
  readonly app: SimApp;
  readonly eng: SimTeam;
  /** May write on the forge. */
  readonly bob: Person;
  readonly environment: {
    readonly linear: Parameters<typeof openLinear>[0]["environment"]["linear"];
    readonly linearWebhookSecrets: readonly { readonly secret: string; readonly workspace: undefined }[];
  };
  idOf(issue: SimIssue): string;
}

export async function openCardStage(hub: RunningHub, database: string): Promise<CardStage> {
  const linear = await startLinear();
  const { home: acme, admin: boss, app } = installForgehand(linear);
  const account = hub.state.people.get("bob")?.id;
  const bob = personOn(linear, linear.user(acme, { name: "Bob", gitHubUserId: String(account) }));
  const eng = linear.team(acme, { key: "ENG", states: usualColumns, members: [boss, bob.user] });
  const environment = settingsOf(linear, app);
  const sql = openSqlite(database);
  try {
    makeLease(sql);
    await migrateEngine(sql);
    await migrate(sql);
    const { desk, oauth } = openLinear({
      environment: { ...environment, database, secretKey: undefined },
      store: openStore(sql, noRuns),
      page: () => undefined,
    });
    const signedIn = await desk.signIn("client-credentials", () => oauth.clientCredentials());
    if (signedIn.is !== "signed-in") throw new Error(`not signed in: ${signedIn.why}`);
  } finally {
    sql.close();
  }
  return {
    linear,
    app,
    eng,
    bob,
    environment,
    idOf: (issue) => linearTicketId({ workspace: acme.id, issue: issue.id }),
  };
}
