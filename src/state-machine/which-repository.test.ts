import { expect, test } from "vitest";
import { whichRepository, type RepositoryClues, type RepositoryRouting } from "./which-repository.ts";

const repositories = ["acme/shop", "acme/site", "umbrella/site"];
const routing: RepositoryRouting = {
  repositories,
  routes: [
    { team: "ENG", repository: "acme/shop" },
    { project: "Website", repository: "acme/site" },
    { workspace: "elsewhere", team: "OPS", repository: "acme/site" },
    { team: "two", repository: "acme/shop" },
    { team: "TWO", repository: "acme/site" },
    { team: "LOST", repository: "acme/gone" },
  ],
};
const clues: RepositoryClues = {
  labels: ["bug"],
  text: "Greet",
  workspace: "w",
  team: { id: "t-1", key: "DES" },
  project: undefined,
};
const team = (key: string) => ({ team: { id: `t-${key}`, key } });
const website = { project: { id: "p", name: "website" } };
const one = (repository: string, by: string, branch?: string) => ({ is: "one", repository, by, branch });
const several = (...named: string[]) => ({ is: "several", named, choices: repositories });
const unknown = (...named: string[]) => ({ is: "unknown", named, choices: repositories });

test.each<[string, Partial<RepositoryClues>, object]>([
  ["a label with owner", { labels: ["repo:umbrella/site"] }, one("umbrella/site", "label")],
  ["a label without owner", { labels: ["Repo:SHOP"] }, one("acme/shop", "label")],
  ["a label that fits two owners", { labels: ["repo:site"] }, several("acme/site", "umbrella/site")],
  ["two labels of one repository", { labels: ["repo:shop", "repo:acme/shop"] }, one("acme/shop", "label")],
  ["two labels of two", { labels: ["repo:shop", "repo:acme/site"] }, several("acme/shop", "acme/site")],
  ["a label of what is not offered", { labels: ["repo:secret"] }, unknown("secret")],
  ["a mark in the text", { text: "Do it [repo=acme/site]" }, one("acme/site", "text")],
  ["a mark with a branch", { text: "[repo=acme/site#release/1.2]" }, one("acme/site", "text", "release/1.2")],
  [
    "a mark and a label that agree",
    { labels: ["repo:shop"], text: "[repo=acme/shop#next]" },
    one("acme/shop", "label", "next"),
  ],
  [
    "a mark and a label that differ",
    { labels: ["repo:shop"], text: "[repo=acme/site]" },
    several("acme/shop", "acme/site"),
  ],
  ["two branches of one", { text: "[repo=shop#a] [repo=shop#b]" }, several("acme/shop#a", "acme/shop#b")],
  ["a mark of what is not offered", { text: "[repo=evil/shop]" }, unknown("evil/shop")],
  [
    "a branch that is an option",
    { text: "[repo=acme/shop#--upload-pack=x]" },
    unknown("acme/shop#--upload-pack=x"),
  ],
  ["a branch that climbs", { text: "[repo=acme/shop#a/../b]" }, unknown("acme/shop#a/../b")],
  [
    "a ref in place of a branch",
    { text: "[repo=acme/shop#refs/pull/1/head]" },
    unknown("acme/shop#refs/pull/1/head"),
  ],
  [
    "a mark in quoted code",
    { text: "`[repo=acme/site]`\n```\n[repo=acme/site]\n```" },
    { is: "none", choices: repositories },
  ],
  ["the route of the team", team("eng"), one("acme/shop", "team")],
  [
    "the route of the project before that of the team",
    { ...team("ENG"), ...website },
    one("acme/site", "project"),
  ],
  [
    "a label before all routes",
    { ...team("ENG"), labels: ["repo:umbrella/site"] },
    one("umbrella/site", "label"),
  ],
  ["the same team of another workspace", team("OPS"), { is: "none", choices: repositories }],
  ["the right workspace", { ...team("OPS"), workspace: "elsewhere" }, one("acme/site", "team")],
  ["two routes of one team", team("TWO"), several("acme/shop", "acme/site")],
  ["a route to what is not offered", team("LOST"), unknown("acme/gone")],
  ["nothing", {}, { is: "none", choices: repositories }],
])("by %s", (_, more, expected) => {
  expect(whichRepository({ ...clues, ...more }, routing)).toEqual(expected);
});

test("the only one there is needs not be said, and without any there is none", () => {
  expect(whichRepository(clues, { repositories: ["acme/shop"], routes: [] })).toEqual(
    one("acme/shop", "only"),
  );
  expect(whichRepository(clues, { repositories: [], routes: [] })).toEqual({ is: "none", choices: [] });
});
