import { linearSessions } from "../../src/adapters/linear/sessions.ts";
import type { LinearSessions } from "../../src/ports-linear-sessions.ts";
import type { Permission } from "../../src/ports.ts";
import { capsOf } from "../../src/shell/day.ts";
import { hearSession, type SessionHint, type SessionTools } from "../../src/shell/hear-session.ts";
import { openLinearSessions, type LinearSessionKeeper } from "../../src/shell/linear-sessions.ts";
import type { Read, Said } from "../../src/shell/said.ts";
import { step } from "../../src/shell/step.ts";
import type { Workshop } from "../../src/shell/workshop.ts";
import { statusOf } from "../../src/simulator/linear/session-status.ts";
import type { SimActivity, SimIssue, SimSession } from "../../src/simulator/linear/world.ts";
import type { TicketEvent } from "../../src/state-machine/event.ts";
import { linearTicketId } from "../../src/state-machine/ticket-id.ts";
import type { KnownRepo } from "../../src/store/repos.ts";
import type { Store } from "../../src/store/store.ts";
import type { Stored } from "../../src/store/tickets.ts";
import { forbids } from "../../src/webhooks/authorise.ts";
import type { Say } from "../../src/webhooks/heard.ts";
import { interpretCommand } from "../../src/webhooks/interpret-command.ts";
import { readLinear, type LinearActor } from "../../src/webhooks/read-linear.ts";
import { specHash } from "../../src/webhooks/spec-hash.ts";
import { openStand } from "../shell/stand.ts";
import { stand, type Stand } from "../simulator/linear/stand.ts";

/** The keeper of sessions on a real store and a simulated Linear; tickets move by the real table. */
export interface SessionsStage extends Stand {
  readonly shop: Workshop;
  readonly store: Store;
  readonly port: LinearSessions;
  /** The one at work now. */
  readonly keeper: () => LinearSessionKeeper;
  /** Everything that was written to Linear, by operation. */
  readonly writes: string[];
  /** What people may, by the name in Linear; triage where nobody said. */
  readonly permissions: Map<string, Permission>;
  /** Ends the process at work and starts another, as the store and the port are seen by it. */
  restart(seen?: { readonly store?: Store; readonly port?: LinearSessions }): void;
  /** Everything that can be done now is done. */
  calm(): Promise<void>;
  /** Lets time pass, a little at a time, with everything done that falls due. */
  pass(ms: number): Promise<void>;
  /** Hears every agent event that arrived since, and takes what it comes to. */
  hear(): Promise<void>;
  /** One event of the ticket, by the table. */
  happen(issue: SimIssue, event: TicketEvent): Promise<Stored>;
  /** The ticket of an issue, with its current run and head where it has them. */
  ticket(issue: SimIssue): Promise<Stored>;
  said(session: SimSession): readonly SimActivity[];
  status(session: SimSession): string;
}

export const head = "a".repeat(40);

export async function sessionsStage(): Promise<SessionsStage> {
  const s = await stand();
  const base = await openStand();
  const { store } = base;
  const writes: string[] = [];
  const permissions = new Map<string, Permission>();
  const access = async () =>
    ({ is: "granted", token: s.accessToken, as: "app", expiresAt: undefined }) as const;
  const port = linearSessions({
    apiUrl: s.linear.apiUrl,
    clock: s.clock,
    tokens: { accessToken: access, replace: access },
    remember: { get: async () => undefined, set: async () => undefined },
    scrub: (text) => text.replaceAll("hunter2", "[removed]"),
    onWrite: ({ operation }) => void writes.push(operation),
  });
  const shop: Workshop = {
    ...base.shop,
    clock: s.clock,
    reportOf: async () => undefined,
    detailsUrl: (ticket) => `https://forgehand.example/tickets/${encodeURIComponent(ticket)}`,
    remoteOf: (repo) => ({ repo, url: `https://github.com/${repo.owner}/${repo.name}.git` }),
  };
  let keeper = openLinearSessions(shop, port);
  const ended: LinearSessionKeeper[] = [];
  const { policy, config } = shop.rulesOf({} as KnownRepo);
  const caps = capsOf(config, { dayStopUsd: 1_000, tenantDayUsd: undefined }, 0);

  const take = async ({ ticket, event, actor, id }: Said, name: string): Promise<void> => {
    await step(store, {
      ticket,
      event,
      eventId: id ?? name,
      actor,
      policy,
      caps,
      runLimitMs: 1,
      now: s.clock.now(),
    });
  };
  const ticketOf = async (issue: SimIssue): Promise<Stored> => {
    const id = linearTicketId({ workspace: s.acme.id, issue: issue.id });
    const number = issue.number;
    const named = { repo: 1, number, ref: `acme/ENG-${number}`, title: issue.title, url: "", author: "Ada" };
    await store.name(id, { ...named, branch: `forgehand/eng-${number}` }, s.clock.now());
    const stored = await store.load(id);
    if (stored === undefined) throw new Error("the ticket was not kept");
    return stored;
  };
  const toolsFor = (issue: SimIssue): SessionTools => {
    const who = (by: LinearActor) => {
      const login = (by.name ?? "nobody").toLowerCase();
      return { login, permission: permissions.get(by.name ?? "") ?? ("write" as const) };
    };
    const told = async (by: LinearActor, says: Say): Promise<Read & { readonly refused?: string }> => {
      const { login, permission } = who(by);
      const standing = { sender: { login, id: 0, kind: "person" }, permission, allowBots: [] } as const;
      const forbidden = forbids(standing, "triage");
      const events = await eventsOf(says);
      if (says.type !== "commented" && forbidden !== undefined)
        return { ignored: forbidden, refused: forbidden };
      const ticket = (await ticketOf(issue)).ticket.id;
      return { said: events.map((event) => ({ ticket, event, actor: login })) };

      async function eventsOf(one: Say): Promise<readonly TicketEvent[]> {
        const spec = specHash({ title: issue.title, body: issue.description ?? "" });
        if (one.type === "released") {
          const picked = issue.labels.flatMap(({ name }) => /^runtime\/(.+)$/u.exec(name)?.[1] ?? []);
          const runtime = picked.length > 1 ? "contested" : picked[0];
          const choice = { type: "runtime.chosen", runtime } as const;
          return [
            ...(runtime === undefined ? [] : [choice]),
            { type: "ready.granted", spec: one.spec ?? spec },
          ];
        }
        if (one.type === "unlabelled") return [{ type: "halt.lifted" }];
        if (one.type !== "commented") throw new Error(`nobody says ${one.type} in a session`);
        const stored = await ticketOf(issue);
        const facts = {
          permission,
          bases: [],
          allowBots: [],
          issue: {
            id: stored.ticket.id,
            ref: stored.ref,
            number: stored.number,
            title: issue.title,
            body: issue.description ?? "",
            open: true,
            declined: false,
            labels: [],
            author: "Ada",
            url: "",
            updatedAt: 0,
          },
          spec,
          pull: undefined,
          ticket: stored.ticket,
          labels: config.labels,
          runtimes: shop.runtimes,
          workflows: [],
          checksSettled: "no",
        } as const;
        const meaning = interpretCommand({ ...one, standing }, facts);
        return "events" in meaning ? meaning.events : [];
      }
    };
    return {
      told,
      permissionOf: async (by) => who(by),
      text: async () => ({ title: issue.title, body: issue.description ?? "" }),
      appendToSpec: async (marker, text) => {
        const old = issue.description ?? "";
        if (!old.includes(marker)) s.ada.edit(issue, { description: `${old}\n\n${marker}: ${text}` });
        return { title: issue.title, body: issue.description ?? "" };
      },
    };
  };
  const calm = async (): Promise<void> => {
    const patience = AbortSignal.timeout(10_000);
    while (!(await keeper.idle())) {
      patience.throwIfAborted();
      await new Promise((wake) => setImmediate(wake));
    }
  };
  const stage: SessionsStage = {
    ...s,
    shop,
    store,
    port,
    keeper: () => keeper,
    writes,
    permissions,
    restart: (seen = {}) => {
      ended.push(keeper);
      void keeper.stop();
      keeper = openLinearSessions({ ...shop, store: seen.store ?? store }, seen.port ?? port);
      keeper.poke();
    },
    calm,
    pass: async (ms) => {
      await calm();
      for (let left = ms; left > 0; left -= 2_500) {
        await s.clock.advance(Math.min(2_500, left));
        await calm();
      }
    },
    hear: async () => {
      const events = (await s.heard()).filter(({ event }) => event === "AgentSessionEvent");
      await s.forget();
      for (const { id, payload } of events) {
        const hint = readLinear(JSON.stringify(payload)) as SessionHint;
        const issue = s.linear.world.tables.Issue.find((one) => one.id === hint.issue);
        if (issue === undefined) throw new Error("an event about no issue");
        const room = { shop, sessions: port, keeper };
        const read = await hearSession(room, hint, toolsFor(issue));
        if (!("said" in read)) continue;
        for (const [nth, one] of read.said.entries()) await take(one, `${id}#${one.event.type}#${nth}`);
        keeper.poke();
      }
      await calm();
    },
    happen: async (issue, event) => {
      const { ticket, version } = await ticketOf(issue);
      await take({ ticket: ticket.id, event, actor: "test" }, `test-${version}-${event.type}`);
      keeper.poke();
      return await ticketOf(issue);
    },
    ticket: ticketOf,
    said: (session) =>
      s.linear.world.tables.AgentActivity.filter(
        ({ agentSession, content }) => agentSession.id === session.id && content.type !== "prompt",
      ),
    status: (session) => statusOf(session, s.clock.now()),
    close: async () => {
      await Promise.all([keeper, ...ended].map((one) => one.stop()));
      await base.close();
      await s.close();
    },
  };
  return stage;
}

/** An activity in a few words. */
export const brief = ({ content }: SimActivity): string =>
  `${content.type}: ${
    String(content["body"] ?? content["action"])
      .split("\n")[0]
      ?.slice(0, 70) ?? ""
  }`;
