/** Which repository a ticket of Linear is built in: said, routed, asked for, and never another than those offered. */
import { afterEach, expect, test } from "vitest";
import { readLinearFile } from "../../src/config-linear-file.ts";
import type { LinearBoardRules } from "../../src/config-linear-file.ts";
import { peopleOn, type People } from "../../src/simulator/hub/people.ts";
import type { SimIssue } from "../../src/simulator/linear/world.ts";
import { openLinearWorld, type LinearWorld } from "../linear-world.ts";

let play: LinearWorld;
afterEach(() => play.close());

const rules = (text: string): LinearBoardRules => readLinearFile("linear.yml", text);
/** A forge with `acme/web` and `acme/api`, both offered unless the rules say otherwise. */
async function start(linearRules?: LinearBoardRules): Promise<People> {
  play = await openLinearWorld(linearRules === undefined ? {} : { linearRules });
  const api = await play.hub.seed({
    owner: "acme",
    name: "api",
    files: {
      "README.md": "# api\n",
      ".github/forgehand.yml": "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\n",
    },
  });
  const people = peopleOn(play.hub, api);
  people.person("bob", "write");
  people.person("tri", "triage");
  // Nothing tells of a repository where nothing happens: the next walk finds it.
  await play.forgehand.stop(0);
  await play.start();
  await play.settled();
  return people;
}
const card = (text = "Write src/done.txt."): SimIssue =>
  play.bob.open(play.eng, "Say done", { description: text });
const questions = (issue: SimIssue): readonly string[] =>
  play.comments(issue).filter((body) => /^\*\*Which (?:repository|branch)/u.test(body));
const repoOf = async (issue: SimIssue): Promise<string | undefined> => {
  const stored = await play.forgehand.store.load(play.idOf(issue));
  const repo = stored && (await play.forgehand.store.repoById(stored.repo));
  return repo && `${repo.owner}/${repo.name}`;
};
const release = (issue: SimIssue): void => play.bob.drag(issue, "Ready for Dev");

test("nothing says which: one comment lists the choices, and the label that answers counts as said for the release", async () => {
  await start();
  const bystander = card();
  play.ann.label(bystander, "Bug");
  play.ann.drag(bystander, "Spec Gate");
  await play.settled();
  // Nobody released it, so nobody is asked.
  expect(play.comments(bystander)).toEqual([]);
  const issue = card();
  release(issue);
  await play.settled();
  expect(await play.stateOfCard(issue)).toBeUndefined();
  play.ann.edit(issue, { priority: 2 });
  play.bob.drag(issue, "Backlog");
  play.bob.drag(issue, "Ready for Dev");
  await play.settled();
  expect(questions(issue)).toHaveLength(1);
  expect(questions(issue)[0]).toContain("- `repo:acme/web`");
  expect(questions(issue)[0]).toContain("- `repo:acme/api`");
  play.bob.label(issue, "repo:acme/api");
  await play.untilCard(issue, "In Review");
  await play.settled();
  expect(await repoOf(issue)).toBe("acme/api");
  expect(questions(issue)).toHaveLength(1);
  expect(play.column(issue)).toBe("In Review");
});

test("a label that answers is a release of whoever may, and of nobody else", async () => {
  await start();
  const issue = card();
  release(issue);
  await play.settled();
  play.ann.label(issue, "repo:web");
  await play.settled();
  expect(await play.stateOfCard(issue)).toBe("Backlog");
  expect(play.column(issue)).toBe("Backlog");
  expect(await play.forgehand.store.sessionsOf(play.idOf(issue))).toEqual([]);
});

test("the text names one; two, or one that is not there, are asked about", async () => {
  await start(rules("repositories: [acme/web]\n"));
  const named = card("[repo=acme/web] Write src/done.txt.");
  release(named);
  await play.untilCard(named, "In Review");
  expect(await repoOf(named)).toBe("acme/web");
  // Installed, and not offered: whoever writes a ticket cannot reach it.
  const stolen = card("[repo=acme/api] Write src/done.txt.");
  release(stolen);
  const labelled = card();
  play.bob.label(labelled, "repo:acme/api");
  release(labelled);
  await play.settled();
  for (const issue of [stolen, labelled]) {
    expect(questions(issue)).toHaveLength(1);
    expect(questions(issue)[0]).toContain("I do not work in `acme/api`");
    expect(questions(issue)[0]).not.toContain("`repo:acme/api`");
    expect(await play.stateOfCard(issue)).toBeUndefined();
  }
});

test("two repositories that are named are one question", async () => {
  await start();
  const issue = card("[repo=acme/web] and [repo=acme/api]");
  release(issue);
  await play.settled();
  expect(questions(issue)).toHaveLength(1);
  expect(questions(issue)[0]).toContain("More than one is named: `acme/web`, `acme/api`");
});

test("another branch than the default one is refused in words", async () => {
  await start();
  const issue = card("[repo=acme/web#next] Write src/done.txt.");
  release(issue);
  await play.settled();
  expect(questions(issue)).toHaveLength(1);
  expect(questions(issue)[0]).toContain("`acme/web#next` is named, and I build on the default branch alone");
  expect(await play.stateOfCard(issue)).toBeUndefined();
  const fine = card("[repo=acme/web#main] Write src/done.txt.");
  release(fine);
  await play.untilCard(fine, "In Review");
});

test("routes of team and project say it, and a ticket moves with them until work on it began", async () => {
  let now = rules(
    "routes: [{ team: ENG, repository: acme/web }, { project: Billing, repository: acme/api }]\n",
  );
  await start({
    offeredTo: (workspace, installed) => now.offeredTo(workspace, installed),
    get routes() {
      return now.routes;
    },
    namesOf: (team) => now.namesOf(team),
    loginOf: (one) => now.loginOf(one),
  });
  const billing = play.linear.project(play.acme, { name: "Billing", teams: [play.eng] });
  const ofTeam = card();
  const ofProject = play.bob.open(play.eng, "Bill", { description: "Write src/done.txt.", project: billing });
  for (const issue of [ofTeam, ofProject]) release(issue);
  await play.untilCard(ofTeam, "In Review");
  await play.untilCard(ofProject, "In Review");
  expect(await repoOf(ofTeam)).toBe("acme/web");
  expect(await repoOf(ofProject)).toBe("acme/api");
  const kept = card("Later.");
  play.bob.label(kept, "forgehand:do-not-dispatch");
  release(kept);
  await play.untilCard(kept, "Ready");
  play.bob.drag(kept, "Backlog");
  await play.untilCard(kept, "Backlog");
  await play.settled();
  expect(await repoOf(kept)).toBe("acme/web");
  now = rules("routes: [{ team: ENG, repository: acme/api }]\n");
  await play.forgehand.stop(0);
  await play.start();
  play.bob.unlabel(kept, "forgehand:do-not-dispatch");
  await play.settled();
  release(kept);
  await play.untilCard(kept, "In Review");
  expect(await repoOf(kept)).toBe("acme/api");
  // What has its pull request already stays where that is.
  expect(await repoOf(ofTeam)).toBe("acme/web");
});
