import { afterEach, expect, test } from "vitest";
import { readLinearFile } from "../../src/config-linear-file.ts";
import { openLinear } from "../../src/linear.ts";
import { peopleOn, type People } from "../../src/simulator/hub/people.ts";
import type { SimRepo } from "../../src/simulator/hub/state.ts";
import { personOn, type Person } from "../../src/simulator/linear/people.ts";
import type { SimIssue, SimOrganization, SimTeam } from "../../src/simulator/linear/world.ts";
import { linearTicketId } from "../../src/state-machine/ticket-id.ts";
import type { State } from "../../src/state-machine/ticket.ts";
import { linearScopes } from "../../src/ports-linear.ts";
import { usualColumns } from "../../src/simulator/linear/forgehand.ts";
import { openLinearWorld, type LinearWorld } from "../linear-world.ts";

let world: LinearWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** A second tenant in the same process: another workspace that installed the app, another account with its repository. */
interface Tenants extends LinearWorld {
  readonly beta: SimOrganization;
  readonly betaEng: SimTeam;
  /** May write in `beta/web` alone. */
  readonly bea: Person;
  readonly betaRepo: SimRepo;
  readonly betaPeople: People;
  idAt(organization: SimOrganization, issue: SimIssue): string;
  stateAt(organization: SimOrganization, issue: SimIssue): Promise<State | undefined>;
}

async function tenants(more: Parameters<typeof openLinearWorld>[0] = {}): Promise<Tenants> {
  // Its id is known only once it is there.
  const given: { beta?: string } = {};
  const rules = readLinearFile("linear.yml", "");
  const play = (world = await openLinearWorld({
    ...more,
    linearRules: {
      ...rules,
      offeredTo: (workspace, installed) => {
        const owner = workspace === given.beta ? "beta/" : "acme/";
        return installed.filter((name) => name.startsWith(owner));
      },
    },
  }));
  const { linear, hub } = play;
  const beta = linear.workspace({ name: "Beta" });
  given.beta = beta.id;
  const chief = linear.user(beta, { name: "Chief", admin: true });
  const betaRepo = await hub.seed({
    owner: "beta",
    name: "web",
    files: {
      "README.md": "# beta\n",
      ".github/forgehand.yml": "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\n",
    },
  });
  const betaPeople = peopleOn(hub, betaRepo);
  betaPeople.person("bea", "write");
  const account = hub.state.people.get("bea")?.id;
  const bea = personOn(linear, linear.user(beta, { name: "Bea", gitHubUserId: String(account) }));
  const betaEng = linear.team(beta, { key: "ENG", states: usualColumns, members: [chief, bea.user] });
  const { accessToken, refreshToken } = personOn(linear, chief).grant(play.app, {
    scopes: [...linearScopes],
  });
  const { desk } = openLinear({
    environment: play.environment,
    store: play.forgehand.store,
    page: () => undefined,
  });
  const pair = {
    access: accessToken,
    refresh: refreshToken,
    scopes: [...linearScopes],
    lifetimeMs: 86_400_000,
  };
  expect((await desk.signIn("code", async () => ({ is: "granted", pair }))).is).toBe("signed-in");
  const idAt = (organization: SimOrganization, issue: SimIssue): string =>
    linearTicketId({ workspace: organization.id, issue: issue.id });
  play.forgehand.reconcile();
  await play.settled();
  return Object.assign(play, {
    beta,
    betaEng,
    bea,
    betaRepo,
    betaPeople,
    idAt,
    stateAt: async (organization: SimOrganization, issue: SimIssue) =>
      (await play.forgehand.store.load(idAt(organization, issue)))?.ticket.state,
  });
}
const words = { description: "Write src/done.txt." };
const pullsOf = (repo: SimRepo) => [...repo.threads.values()].filter((thread) => thread.pull !== undefined);

test("two workspaces with the same team key and two accounts share a process, and nothing crosses", async () => {
  const play = await tenants();
  const { acme, beta, bob, bea, eng, betaEng, repo, betaRepo, linear } = play;
  const [one, other] = [bob.open(eng, "Say done", words), bea.open(betaEng, "Say done", words)];
  bob.drag(one, "Ready for Dev");
  bea.drag(other, "Ready for Dev");
  const both = async (state: State): Promise<void> => {
    await play.until(
      `both are ${state}`,
      async () => (await play.stateAt(acme, one)) === state && (await play.stateAt(beta, other)) === state,
    );
    await play.settled();
  };
  await both("In Review");
  for (const one of [repo, betaRepo]) {
    expect(pullsOf(one).map(({ title }) => title)).toEqual(["Say done (ENG-1)"]);
    expect(pullsOf(one)[0]?.pull?.headRef).toBe("forgehand/eng-1-say-done");
  }
  // An approval in one repository is none in the other.
  await play.people.approve(pullsOf(repo)[0]?.number ?? 0, "bob");
  await play.untilCard(one, "Done");
  await play.settled();
  expect(await play.stateAt(beta, other)).toBe("In Review");
  await play.betaPeople.approve(pullsOf(betaRepo)[0]?.number ?? 0, "bea");
  await both("Done");
  for (const issue of [one, other]) {
    expect(issue.state.name).toBe("Done");
    expect(linear.world.tables.Comment.filter((comment) => comment.issue === issue)).toHaveLength(2);
  }
  // Every token wrote in its own workspace, every installation in its own account.
  for (const { by, variables, roots } of linear.calls) {
    const id = variables["id"] ?? (variables["input"] as { issueId?: string } | undefined)?.issueId;
    const issue = linear.world.tables.Issue.find((known) => known.id === id);
    if (issue !== undefined) expect([roots, by.organization]).toEqual([roots, issue.team.organization]);
  }
  expect(new Set(linear.calls.map(({ by }) => by.organization))).toEqual(new Set([acme, beta]));
});

test("nobody reaches a repository that is offered to another workspace, or where they may not write", async () => {
  const play = await tenants();
  const { acme, beta, bob, eng, betaEng, betaRepo, repo, linear } = play;
  const named = bob.open(eng, "Cross over", { description: "[repo=beta/web] Write src/done.txt." });
  const labelled = bob.open(eng, "Cross over by label", words);
  bob.label(labelled, "repo:beta/web");
  // Bob's account may write in acme/web only; in the other workspace he has a user too.
  const account = play.hub.state.people.get("bob")?.id;
  const guest = personOn(linear, linear.user(beta, { name: "Bob", gitHubUserId: String(account) }));
  const foreign = guest.open(betaEng, "No permission here", words);
  for (const [person, issue] of [
    [bob, named],
    [bob, labelled],
    [guest, foreign],
  ] as const)
    person.drag(issue, "Ready for Dev");
  await play.settled();
  expect([await play.stateAt(acme, named), await play.stateAt(acme, labelled)]).toEqual([
    undefined,
    undefined,
  ]);
  expect((await play.stateAt(beta, foreign)) ?? "Backlog").toBe("Backlog");
  expect([...pullsOf(repo), ...pullsOf(betaRepo)]).toEqual([]);
  for (const issue of [named, labelled]) {
    const [comment] = play.comments(issue);
    expect(comment).toContain("acme/web");
    expect(comment).not.toMatch(/- .*beta\/web/);
  }
});

test("tickets of two workspaces in one repository never have one branch", async () => {
  const play = await tenants();
  const { acme, beta, bob, bea, eng, betaEng, forgehand } = play;
  const [one, other] = [bob.open(eng, "Say done", words), bea.open(betaEng, "Say done", words)];
  const repo = play.repo.id;
  for (const [organization, issue] of [
    [acme, one],
    [beta, other],
  ] as const)
    await forgehand.store.name(
      play.idAt(organization, issue),
      { repo, number: 1, ref: "x/ENG-1", title: "t", url: "", author: "a", branch: "forgehand/eng-1-t" },
      1,
    );
  const branches = [one, other].map(async (issue, nth) => {
    const stored = await forgehand.store.load(play.idAt(nth === 0 ? acme : beta, issue));
    return stored?.branch;
  });
  expect(new Set(await Promise.all(branches)).size).toBe(2);
});

test("a workspace that has spent its day waits, and another goes on", async () => {
  const play = await tenants({ environment: { tenantDayUsd: 6 } });
  const { acme, beta, bob, bea, eng, betaEng, forgehand } = play;
  const [one, other] = [bob.open(eng, "Say done", words), bea.open(betaEng, "Say done", words)];
  const spent = bob.open(eng, "Spent it all", words);
  // What a ticket of this workspace spent, whatever repository that was in.
  await forgehand.store.name(
    play.idAt(acme, spent),
    {
      repo: play.betaRepo.id + 1_000,
      number: 3,
      ref: "acme/ENG-9",
      title: "t",
      url: "",
      author: "a",
      branch: "b",
    },
    Date.now(),
  );
  await forgehand.store.openSession({
    key: "spent",
    run: `${play.idAt(acme, spent)}/1`,
    ticket: play.idAt(acme, spent),
    role: "build",
    runtime: "codex",
    logPath: undefined,
    at: Date.now(),
  });
  await forgehand.store.changeSession("spent", { usd: 5 });
  bob.drag(one, "Ready for Dev");
  bea.drag(other, "Ready for Dev");
  await play.until("the other is reviewed", async () => (await play.stateAt(beta, other)) === "In Review");
  await play.settled();
  expect(await play.stateAt(acme, one)).toBe("Ready");
});
