import { openLinear } from "../src/linear.ts";
import type { LinearBoardRules } from "../src/config-linear-file.ts";
import { startLinear, type LinearOptions, type RunningLinear } from "../src/simulator/linear/linear.ts";
import { personOn, type Person } from "../src/simulator/linear/people.ts";
import { installForgehand, settingsOf, usualColumns } from "../src/simulator/linear/forgehand.ts";
import type { SimApp } from "../src/simulator/linear/context.ts";
import {
  identifierOf,
  type SimIssue,
  type SimOrganization,
  type SimTeam,
  type SimUser,
  type StateCategory,
} from "../src/simulator/linear/world.ts";
import { linearTicketId } from "../src/state-machine/ticket-id.ts";
import type { State } from "../src/state-machine/ticket.ts";
import { openWorld, type World, type WorldOptions } from "./world.ts";

/** Holds Linear's webhooks back until told to let them go. */
export function holdWebhooks({ linear: { courier } }: Pick<LinearWorld, "linear">): {
  readonly held: () => number;
  readonly release: () => void;
} {
  const waiting: (() => void)[] = [];
  courier.deliver = async (delivery) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return [delivery];
  };
  return {
    held: () => waiting.length,
    release: () => {
      courier.deliver = undefined;
      for (const go of waiting) go();
    },
  };
}

/** A forge and a Linear beside it: tickets on a board, pull requests on the forge. */
export interface LinearWorld extends World {
  readonly linear: RunningLinear;
  readonly acme: SimOrganization;
  readonly eng: SimTeam;
  readonly app: SimApp;
  /** As whom we act in Linear. */
  readonly us: SimUser;
  /** `bob` may write on the forge, `tri` triage; `ann` has linked no account. */
  readonly ada: Person;
  readonly bob: Person;
  readonly tri: Person;
  readonly ann: Person;
  idOf(issue: SimIssue): string;
  stateOfCard(issue: SimIssue): Promise<State | undefined>;
  untilCard(issue: SimIssue, state: State): Promise<void>;
  /** What the board shows. */
  column(issue: SimIssue): string;
  comments(issue: SimIssue): readonly string[];
  pullOfCard(issue: SimIssue): Promise<number>;
}

export interface LinearWorldOptions extends WorldOptions {
  readonly linear?: LinearOptions;
  readonly states?: readonly (readonly [string, StateCategory])[];
  readonly linearRules?: LinearBoardRules;
}

export async function openLinearWorld(options: LinearWorldOptions = {}): Promise<LinearWorld> {
  const linear = await startLinear(options.linear);
  const { home: acme, admin: boss, app, us } = installForgehand(linear);
  const world = await openWorld({
    ...options,
    environment: {
      ...settingsOf(linear, app),
      ...options.environment,
    },
  });
  const member = (name: string, login?: string): Person => {
    const account = login === undefined ? undefined : world.hub.state.people.get(login)?.id;
    return personOn(
      linear,
      linear.user(acme, { name, ...(account === undefined ? {} : { gitHubUserId: String(account) }) }),
    );
  };
  const [ada, bob, tri, ann] = [
    member("Ada", "ada"),
    member("Bob", "bob"),
    member("Tri", "tri"),
    member("Ann"),
  ];
  const eng = linear.team(acme, {
    key: "ENG",
    name: "Engineering",
    states: options.states ?? usualColumns,
    members: [boss, ada.user, bob.user, tri.user, ann.user],
  });
  const listen = (): void => {
    app.webhook.url = `${world.forgehand.url}/webhooks/linear`;
  };
  listen();
  const { environment } = world;
  const { desk, oauth } = openLinear({ environment, store: world.forgehand.store, page: () => undefined });
  const signedIn = await desk.signIn("client-credentials", () => oauth.clientCredentials());
  if (signedIn.is !== "signed-in") throw new Error(`not signed in: ${signedIn.why}`);
  const idOf = (issue: SimIssue): string => linearTicketId({ workspace: acme.id, issue: issue.id });
  const stored = async (issue: SimIssue) => await world.forgehand.store.load(idOf(issue));
  const linearWorld: LinearWorld = Object.assign(world, {
    linear,
    acme,
    eng,
    app,
    us,
    ada,
    bob,
    tri,
    ann,
    idOf,
    stateOfCard: async (issue: SimIssue) => (await stored(issue))?.ticket.state,
    untilCard: (issue: SimIssue, state: State) =>
      world.until(
        `${identifierOf(issue)} is ${state}`,
        async () => (await stored(issue))?.ticket.state === state,
      ),
    column: (issue: SimIssue) => issue.state.name,
    comments: (issue: SimIssue) =>
      linear.world.tables.Comment.filter(
        (comment) => comment.issue === issue && comment.archivedAt === undefined,
      ).map(({ body }) => body),
    pullOfCard: async (issue: SimIssue) => {
      const pull = (await stored(issue))?.ticket.pull;
      if (pull === undefined) throw new Error(`${identifierOf(issue)} has no pull request`);
      return pull;
    },
  });
  const { close, settled, start } = world;
  linearWorld.start = async () => {
    await start();
    listen();
  };
  linearWorld.settled = async () => {
    await world.until("Linear is settled", async () => {
      await linear.courier.idle();
      await settled();
      await linear.courier.idle();
      return await world.forgehand.idle();
    });
  };
  linearWorld.close = async () => {
    app.webhook.url = "";
    await close();
    await linear.close();
  };
  return linearWorld;
}
