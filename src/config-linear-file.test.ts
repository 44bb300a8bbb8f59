import { describe, expect, test } from "vitest";
import { readLinearFile } from "./config-linear-file.ts";
import { whichRepository } from "./state-machine/which-repository.ts";

const acme = "0f0e0d0c-0b0a-4908-8706-050403020100";
const beta = "1f0e0d0c-0b0a-4908-8706-050403020100";
const ada = "2f0e0d0c-0b0a-4908-8706-050403020100";
const read = (text: string | undefined) => readLinearFile("l.yml", text);
const installed = ["acme/web", "Acme/API", "beta/shop"];
const team = (workspace: string, key = "ENG") => ({
  workspace,
  id: "3f0e0d0c-0b0a-4908-8706-050403020100",
  key,
});

test("without a file everything that is installed is offered, and every name is the usual one", () => {
  for (const text of [undefined, "", "# nothing\n"]) {
    const rules = read(text);
    expect(rules.offeredTo(acme, installed)).toEqual(installed);
    expect(rules.routes).toEqual([]);
    expect(rules.namesOf(team(acme))).toEqual({});
    expect(rules.loginOf({ id: ada, email: "ada@acme.example" })).toBeUndefined();
  }
});

test("one list is offered to every workspace, spelt as it is installed; what is not installed is not offered", () => {
  const rules = read("repositories: [Acme/Web, acme/api, acme/gone]");
  expect(rules.offeredTo(acme, installed)).toEqual(["acme/web", "Acme/API"]);
  expect(rules.offeredTo(beta, installed)).toEqual(["acme/web", "Acme/API"]);
  expect(read("repositories: []").offeredTo(acme, installed)).toEqual([]);
});

test("lists by workspace give each its own, and one that is not named nothing", () => {
  const rules = read(
    `workspaces: { Acme: ${acme.toUpperCase()} }\nrepositories: { acme: [acme/web], ${beta}: [beta/shop] }`,
  );
  expect(rules.offeredTo(acme, installed)).toEqual(["acme/web"]);
  expect(rules.offeredTo(beta, installed)).toEqual(["beta/shop"]);
  expect(rules.offeredTo(ada, installed)).toEqual([]);
});

test("a route of one workspace does not catch another's team of the same key", () => {
  const { routes } = read(
    `workspaces: { acme: ${acme} }\nroutes: [{ workspace: acme, team: eng, repository: acme/web }, { project: Shop, repository: beta/shop }]`,
  );
  const said = { labels: [], text: "", team: { id: "t", key: "ENG" }, project: undefined };
  const routing = { repositories: installed, routes };
  expect(whichRepository({ ...said, workspace: acme }, routing)).toMatchObject({ repository: "acme/web" });
  expect(whichRepository({ ...said, workspace: beta }, routing)).toMatchObject({ is: "none" });
  const project = { id: "p", name: "shop" };
  expect(whichRepository({ ...said, workspace: beta, project }, routing)).toMatchObject({
    repository: "beta/shop",
    by: "project",
  });
});

test("a team's names are found by key, and those of one workspace's team go before", () => {
  const rules = read(
    `workspaces: { acme: ${acme} }\nstates:\n  acme/eng: { Ready: Groomed }\n  ENG: { Ready: Selected, Done: Shipped }`,
  );
  expect(rules.namesOf(team(acme))).toEqual({ Ready: "Groomed", Done: "Shipped" });
  expect(rules.namesOf({ ...team(beta), id: "other" })).toEqual({ Ready: "Selected", Done: "Shipped" });
  expect(rules.namesOf({ ...team(acme, "OPS"), id: "other" })).toEqual({});
});

test("working states may share a column", () => {
  const rules = read("states: { ENG: { Gate: In Progress, Adversarial Review: In Review } }");
  expect(rules.namesOf(team(acme))).toEqual({ Gate: "In Progress", "Adversarial Review": "In Review" });
});

test("a person is known by id before email, in any spelling", () => {
  const rules = read(`people: { Ada@acme.example: ada-old, ${ada}: ada }`);
  expect(rules.loginOf({ id: ada.toUpperCase(), email: "ada@acme.example" })).toBe("ada");
  expect(rules.loginOf({ id: "x", email: "ADA@acme.example" })).toBe("ada-old");
  expect(rules.loginOf({ id: "x" })).toBeUndefined();
});

describe("what is wrong is told with its place", () => {
  test.each([
    ["repo: [acme/web]", /l\.yml:1:1.*repo/u],
    ["repositories: [web]", /l\.yml:1:\d+/u],
    ["repositories: { acme: [acme/web] }", /l\.yml:1:17.*no workspace is called `acme`.*linear --status/su],
    ["workspaces: { acme: here }", /l\.yml:1:15.*UUID/su],
    [
      `workspaces: { acme: ${acme} }\nrepositories: { acm: [acme/web] }`,
      /l\.yml:2:17.*did you mean `acme`/su,
    ],
    [
      `workspaces: { acme: ${acme} }\nrepositories: { acme: [], ${acme}: [] }`,
      /l\.yml:2:\d+.*same workspace/su,
    ],
    [`workspaces: { acme: ${acme}, Acme: ${beta} }`, /l\.yml:1:\d+.*same name/su],
    ["routes: [{ repository: acme/web }]", /l\.yml:1:\d+.*`team`, a `project`/su],
    ["routes:\n  - team: ENG\n    repository: acme web", /l\.yml:3:5.*owner\/name/su],
    [
      "repositories: [acme/web]\nroutes:\n  - team: ENG\n    repository: acme/api",
      /l\.yml:4:5.*not offered/su,
    ],
    [
      "routes:\n  - { team: ENG, repository: acme/web }\n  - { team: eng, repository: acme/api }",
      /l\.yml:3:5.*first route/su,
    ],
    ["routes: [{ team: ENG, workspace: acme, repository: acme/web }]", /l\.yml:1:23.*no workspace/su],
    ["states:\n  ENG:\n    Redy: Selected", /l\.yml:3:5.*did you mean `Ready`/su],
    ["states:\n  ENG:\n    Whatever: Selected", /l\.yml:3:5.*Backlog, Ready/su],
    ["states:\n  ENG:\n    Ready: 7", /l\.yml:3:5/u],
    ["states:\n  ENG:\n    Ready: Todo\n    Backlog: todo", /l\.yml:3:5.*share/su],
    ["states:\n  ENG:\n    Gate: Backlog", /l\.yml:3:5.*`Backlog` one of its own too/su],
    ["states:\n  ENG:\n    In Progress: Rework", /l\.yml:3:5.*`Rework` one of its own too/su],
    [
      `workspaces: { acme: ${acme} }\nstates:\n  ENG: { Done: Shipped }\n  acme/ENG: { Merging: Shipped }`,
      /l\.yml:4:15.*share/su,
    ],
    ["states:\n  ENG: {}\n  eng: {}", /l\.yml:3:3.*same team/su],
    [`states:\n  ${ada}: {}`, /l\.yml:2:3.*key of a team/su],
    ["states:\n  The team: {}", /l\.yml:2:3.*key of a team/su],
    ["people: { ada: ada }", /l\.yml:1:11.*email/su],
    ["people: { ada@acme.example: '@ada' }", /l\.yml:1:11.*without @/su],
    ["people: { a@b.example: ada, A@b.example: bob }", /l\.yml:1:\d+.*same person/su],
    ["- a", /l\.yml:1:1/u],
    ["states: {", /no YAML/u],
  ])("%j", (text, why) => {
    expect(() => read(text)).toThrow(why);
  });
});
