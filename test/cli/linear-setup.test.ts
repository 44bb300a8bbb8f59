import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, validate } from "graphql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as documents from "../../src/adapters/linear/documents-boards.ts";
import { connectGitHub } from "../../src/simulator/linear/github-automation.ts";
import { linearSchema } from "../../src/simulator/linear/schema.ts";
import type { SimOrganization, SimTeam } from "../../src/simulator/linear/world.ts";
import { stand, type Stand } from "../simulator/linear/stand.ts";
import { run, type Ended } from "./run.ts";

let s: Stand;
let dir: string;
let env: Readonly<Record<string, string>>;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "linear-setup-"));
  s = await stand();
  env = settings(s.acme);
});
afterEach(async () => {
  await s.close();
  rmSync(dir, { recursive: true, force: true });
});

/** An application that signs in to this workspace without a browser. */
function settings(home: SimOrganization): Readonly<Record<string, string>> {
  const app = s.linear.app({ name: "forgehand", home, allowsClientCredentials: true });
  return {
    FORGEHAND_DATA_DIR: join(dir, "data"),
    FORGEHAND_LINEAR_CLIENT_ID: app.clientId,
    FORGEHAND_LINEAR_CLIENT_SECRET: app.clientSecret,
    FORGEHAND_LINEAR_API_URL: s.linear.apiUrl.replace(/\/graphql$/u, ""),
  };
}
async function signIn(): Promise<void> {
  const ended = await run(["auth", "linear", "--client-credentials", "--json"], env, dir);
  expect(ended.code, ended.out + ended.err).toBe(0);
}
interface Told {
  readonly did: string;
  readonly workspaces: readonly {
    readonly teams: readonly {
      readonly key: string;
      readonly states: readonly { readonly ours: string; readonly on: string | null; readonly by: string }[];
      readonly newStates: readonly {
        readonly name: string;
        readonly category: string;
        readonly position: number;
      }[];
      readonly newLabels: readonly { readonly name: string }[];
    }[];
  }[];
  readonly wanted: readonly { readonly is: string; readonly name: string; readonly team: string }[];
  readonly created: readonly { readonly name: string }[];
  readonly findings: readonly { readonly is: string; readonly what: string; readonly fix: string }[];
}
const setup = (argv: readonly string[] = []): Promise<Ended> => run(["linear", "setup", ...argv], env, dir);
async function told(argv: readonly string[] = [], code = 0): Promise<Told> {
  const ended = await setup([...argv, "--json"]);
  expect(ended.code, ended.out + ended.err).toBe(code);
  return (JSON.parse(ended.out) as { readonly data: Told }).data;
}
/** The columns of a team by category, from left to right. */
const columns = (team: SimTeam, category: string): readonly string[] =>
  s.linear.world.tables.WorkflowState.filter((one) => one.team === team && one.type === category)
    .toSorted((one, other) => one.position - other.position)
    .map(({ name }) => name);
const everything = (): string =>
  JSON.stringify([
    s.linear.world.tables.WorkflowState.map(({ id }) => id),
    s.linear.world.tables.IssueLabel.map(({ id }) => id),
  ]);
const mutations = (): readonly string[] =>
  s.linear.calls.flatMap(({ roots }) => roots.filter((root) => /Create|Update|Delete/u.test(root)));

test("every document about boards is valid against Linear's schema", () => {
  const all = Object.values(documents);
  expect(all.length).toBeGreaterThan(4);
  expect(
    all.flatMap(({ name, text }) =>
      validate(linearSchema(), parse(text)).map(({ message }) => `${name}: ${message}`),
    ),
  ).toEqual([]);
});

describe("forgehand linear setup", () => {
  test("tells in a dry run exactly what it then creates, and a second run finds nothing to create", async () => {
    await signIn();
    const before = everything();
    const dry = await told(["--dry-run"]);
    expect(dry).toMatchObject({ did: "told", created: [] });
    expect([everything(), mutations()]).toEqual([before, []]);
    const [team] = dry.workspaces[0]?.teams ?? [];
    expect(team?.states).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ ours: "Backlog", on: "Backlog", by: "name" }),
        expect.objectContaining({ ours: "Ready", on: "Todo", by: "category" }),
        expect.objectContaining({ ours: "Cancelled", on: "Canceled", by: "name" }),
        expect.objectContaining({ ours: "Blocked", on: null, by: "stays" }),
      ]),
    );
    expect(team?.newStates.map(({ name, category }) => `${category} ${name}`)).toEqual([
      "unstarted Ready for Dev",
      "started Spec Gate",
      "started Adversarial Review",
      "started Rework",
      "started Merging",
    ]);
    expect(team?.newLabels.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["agent-ready", "needs-spec", "auto-merge", "forgehand:halt", "runtime/codex"]),
    );

    const done = await told(["--yes"]);
    expect(done).toMatchObject({ did: "created", created: dry.wanted });
    expect(columns(s.eng, "unstarted")).toEqual(["Todo", "Ready for Dev"]);
    expect(columns(s.eng, "started")).toEqual([
      "Spec Gate",
      "In Progress",
      "Adversarial Review",
      "In Review",
      "Rework",
      "Merging",
    ]);
    expect(s.linear.world.tables.IssueLabel.map(({ name, team: of }) => `${of?.key ?? ""} ${name}`)).toEqual(
      dry.wanted.filter(({ is }) => is === "label").map(({ name }) => `ENG ${name}`),
    );

    const after = everything();
    expect(await told(["--yes"])).toMatchObject({ did: "told", wanted: [], created: [], findings: [] });
    expect((await setup()).out).toContain("Nothing is missing.");
    expect(everything()).toBe(after);
  });

  test("creates nothing where nobody agreed, and says what to type", async () => {
    await signIn();
    const before = everything();
    const ended = await setup(["--team", "eng"]);
    expect(ended.code, ended.err).toBe(3);
    expect(ended.err).toContain("forgehand linear setup --team eng --yes");
    expect(ended.out).toMatch(
      /Ready +"Ready for Dev" to create \(unstarted, #\w+\); until then its cards go to "Todo"/u,
    );
    expect(everything()).toBe(before);
  });

  test("goes on where an earlier run stopped", async () => {
    await signIn();
    await s.client.createWorkflowState({
      teamId: s.eng.id,
      name: "spec gate",
      type: "started",
      color: "#123456",
    });
    await s.client.createIssueLabel({ name: "Agent-Ready" });
    const done = await told(["--yes"]);
    const names = done.created.map(({ name }) => name);
    expect(names).not.toContain("Spec Gate");
    expect(names).not.toContain("agent-ready");
    expect(names).toContain("Merging");
    expect(await told(["--dry-run"])).toMatchObject({ wanted: [] });
  });

  test("follows a team's own names, and leaves other teams alone with --team", async () => {
    const ops = s.linear.team(s.acme, {
      key: "OPS",
      states: [
        ["Later", "backlog"],
        ["Next", "unstarted"],
      ],
    });
    writeFileSync(
      join(dir, "linear.yml"),
      "states:\n  OPS: { Backlog: Later, Ready: Next, Gate: In Progress, Blocked: On hold }\n  ABC: { Gate: Check }\n",
    );
    env = { ...env, FORGEHAND_LINEAR_FILE: "linear.yml" };
    await signIn();
    const all = await told(["--dry-run"]);
    expect(all.findings).toMatchObject([{ is: "warn", what: expect.stringContaining("ABC") }]);
    const done = await told(["--team", "OPS", "--yes"]);
    expect(new Set(done.wanted.map(({ team }) => team))).toEqual(new Set(["OPS"]));
    expect(columns(ops, "backlog")).toEqual(["Later"]);
    expect(columns(ops, "unstarted")).toEqual(["Next"]);
    expect(columns(ops, "started")).toEqual([
      "In Progress",
      "Adversarial Review",
      "In Review",
      "Rework",
      "Merging",
      "On hold",
    ]);
    expect([columns(ops, "completed"), columns(ops, "canceled")]).toEqual([["Done"], ["Cancelled"]]);
    expect(columns(s.eng, "started")).toEqual(["In Progress", "In Review"]);
  });

  test("names a team it does not see, and those it does", async () => {
    s.linear.team(s.acme, { key: "SEC", private: true });
    await signIn();
    const ended = await setup(["--team", "SEC"]);
    expect(ended.code).toBe(5);
    expect(ended.err).toMatch(/no team SEC.*acme\/ENG.*Team access/su);
    const other = await setup(["--workspace", "beta"]);
    expect(other.code).toBe(5);
  });

  test("two workspaces with the same team key are told apart", async () => {
    await signIn();
    const beta = s.linear.workspace({ name: "Beta" });
    const ada = s.linear.user(beta, { name: "Ada", admin: true });
    const eng = s.linear.team(beta, { key: "ENG", members: [ada] });
    env = { ...env, ...settings(beta) };
    await signIn();
    const both = await told(["--dry-run"]);
    expect(both.workspaces.map(({ teams }) => teams.map(({ key }) => key))).toEqual([["ENG"], ["ENG"]]);
    expect(both.findings).toMatchObject([{ is: "warn", what: expect.stringContaining("every repository") }]);
    await told(["--workspace", "beta", "--yes"]);
    expect(columns(eng, "started")).toContain("Merging");
    expect(columns(s.eng, "started")).not.toContain("Merging");
  });

  test("tells Linear's own automation, label groups and an end that is none, with what to do", async () => {
    const { acme, eng, ada, linear } = s;
    connectGitHub(linear, acme, ada.user);
    const group = await s.client.createIssueLabel({ name: "Flow", isGroup: true });
    const parentId = group.issueLabelId ?? "";
    for (const name of ["agent-ready", "needs-spec"]) await s.client.createIssueLabel({ name, parentId });
    await s.client.createIssueLabel({ name: "auto-merge", isGroup: true });
    await s.client.createWorkflowState({
      teamId: eng.id,
      name: "Shipped",
      type: "started",
      color: "#123456",
    });
    writeFileSync(join(dir, "linear.yml"), "states: { ENG: { Done: Shipped } }");
    env = { ...env, FORGEHAND_LINEAR_FILE: "linear.yml" };
    await signIn();
    const { findings } = await told(["--yes"], 4);
    expect(findings.map(({ is }) => is)).toEqual(["fail", "fail", "fail", "warn"]);
    expect(findings).toMatchObject([
      { what: expect.stringContaining("not completed"), fix: expect.stringContaining("states.ENG") },
      { what: expect.stringContaining('"auto-merge" is a group') },
      {
        what: expect.stringContaining("agent-ready, needs-spec exclude one another"),
        fix: expect.stringContaining('out of the group "Flow"'),
      },
      {
        what: expect.stringMatching(/On PR open: In Progress; On PR merge: Done/u),
        fix: expect.stringMatching(/No action.*Engineering, Issue statuses & automations/u),
      },
    ]);
  });

  test("what Linear refuses is told, and the rest is created all the same", async () => {
    await signIn();
    s.linear.fail({ is: 403, of: /workflowStateCreate/u, times: 100 });
    const done = await told(["--yes"], 6);
    expect(
      done.created.every(({ name }) => done.wanted.some((one) => one.name === name && one.is === "label")),
    ).toBe(true);
    expect(done.findings[0]).toMatchObject({
      is: "fail",
      fix: expect.stringContaining("by hand in Linear: Settings, Teams, Engineering"),
    });
  });

  test("an answer that was lost is no second state: the next run goes on", async () => {
    await signIn();
    s.linear.fail({ is: "reset", of: /workflowStateCreate/u, after: true, times: 1 });
    const lost = await setup(["--yes", "--json"]);
    expect([lost.code, JSON.parse(lost.out)]).toMatchObject([8, { error: { code: "linear-unreachable" } }]);
    expect(columns(s.eng, "unstarted")).toEqual(["Todo", "Ready for Dev"]);
    const done = await told(["--yes"]);
    expect(done.created.map(({ name }) => name)).not.toContain("Ready for Dev");
    expect(await told(["--dry-run"])).toMatchObject({ wanted: [] });
  });

  test("works with a personal key before there is a database, and makes none", async () => {
    const base = {
      FORGEHAND_DATA_DIR: join(dir, "data"),
      FORGEHAND_LINEAR_API_URL: env["FORGEHAND_LINEAR_API_URL"] ?? "",
    };
    env = {
      ...base,
      FORGEHAND_LINEAR_API_KEY: s.linear.apiKey(s.ada.user),
    };
    expect((await told(["--yes"])).created.length).toBeGreaterThan(10);
    expect(existsSync(join(dir, "data"))).toBe(false);
    env = base;
    const nobody = await setup();
    expect([nobody.code, nobody.err]).toEqual([6, expect.stringContaining("forgehand auth linear")]);
  });

  test("a wrong file is refused with its place, by setup and doctor", async () => {
    writeFileSync(join(dir, "linear.yml"), "states:\n  ENG:\n    Redy: Selected\n");
    env = { ...env, FORGEHAND_LINEAR_FILE: "linear.yml" };
    const ended = await setup();
    expect([ended.code, ended.err]).toEqual([4, expect.stringContaining("linear.yml:3:5")]);
    expect(await doctor()).toMatchObject([
      { is: "fail", what: expect.stringContaining("linear.yml:3:5") },
      { is: "fail", fix: "forgehand auth linear" },
    ]);
    env = { ...env, FORGEHAND_LINEAR_FILE: "gone.yml" };
    expect((await doctor())[0]?.what).toContain("gone.yml: there is no such file");
    env = { ...env, FORGEHAND_LINEAR_FILE: "" };
    expect((await doctor("Settings")).filter(({ what }) => what.includes("LINEAR_FILE"))).toHaveLength(1);
  });
});

interface Check {
  readonly group: string;
  readonly is: string;
  readonly what: string;
  readonly fix: string | null;
}
async function doctor(section = "Linear"): Promise<readonly Check[]> {
  const ended = await run(["doctor", "--json"], { FORGEHAND_PORT: "0", ...env }, dir);
  const { data } = JSON.parse(ended.out) as { readonly data: { readonly checks: readonly Check[] } };
  return data.checks.filter(({ group }) => group === section);
}

describe("doctor", () => {
  test("tells what a board lacks with the line to type, and nothing once setup has run", async () => {
    const odd = s.linear.team(s.acme, { key: "ODD", states: [["Todo", "unstarted"]] });
    await signIn();
    const before = everything();
    const found = (await doctor()).filter(({ what }) => what.startsWith("acme/"));
    expect(found.map(({ what, is, fix }) => [what.slice(0, 8), is, fix])).toEqual([
      ["acme/ENG", "warn", "forgehand linear setup --workspace acme --team ENG"],
      ["acme/ENG", "warn", "forgehand linear setup --workspace acme --team ENG"],
      ["acme/ODD", "fail", "forgehand linear setup --workspace acme --team ODD"],
      ["acme/ODD", "warn", "forgehand linear setup --workspace acme --team ODD"],
      ["acme/ODD", "warn", "forgehand linear setup --workspace acme --team ODD"],
    ]);
    expect(found[0]?.what).toContain('Ready, here "Ready for Dev" (its cards go to "Todo")');
    expect(found[2]?.what).toContain("Backlog, Gate");
    expect(everything()).toBe(before);
    await told(["--yes"]);
    expect(columns(odd, "started")[0]).toBe("Spec Gate");
    const automation = connectGitHub(s.linear, s.acme, s.ada.user);
    // What is set to no action moves nothing.
    for (const moment of ["start", "merge"] as const) automation.rule(odd, moment, undefined);
    const left = (await doctor()).filter(({ what }) => what.startsWith("acme/"));
    expect(left).toMatchObject([
      {
        is: "warn",
        what: expect.stringMatching(/^acme\/ENG.*GitHub automation/u),
        fix: expect.stringContaining("No action"),
      },
      { is: "ok", what: expect.stringMatching(/^acme\/ODD/u) },
    ]);
  });
});
