import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectGitHub, type GitHubAutomation } from "../../../src/simulator/linear/github-automation.ts";
import type { SimIssue } from "../../../src/simulator/linear/world.ts";
import { stand, type Stand } from "./stand.ts";

let s: Stand;
let github: GitHubAutomation;
let issue: SimIssue;
beforeEach(async () => {
  s = await stand();
  github = connectGitHub(s.linear, s.acme, s.ada.user);
  issue = s.ada.open(s.eng, "Fix it");
  await s.forget();
});
afterEach(() => s.close());

const pull = {
  url: "https://github.example/acme/app/pull/7",
  number: 7,
  title: "Mend",
  branch: "forgehand/eng-1-fix-it",
};

describe("Linear's own GitHub automation", () => {
  it("moves the card when the pull request opens and merges, as another actor", async () => {
    github.opened(pull);
    expect(issue.state.name).toBe("In Progress");
    github.merged(pull);
    expect(issue.state.name).toBe("Done");
    const moves = (await s.heard()).filter(({ event }) => event === "Issue").map(({ payload }) => payload);
    expect(moves).toMatchObject([
      { actor: { type: "integration", service: "github" }, data: { state: { name: "In Progress" } } },
      { actor: { type: "integration", service: "github" }, data: { state: { name: "Done" } } },
    ]);
    const read = await s.client.issue(issue.id);
    const [last] = (await read.history()).nodes;
    expect(last?.botActor).toMatchObject({ type: "github" });
    expect(await last?.actor).toBeUndefined();
    expect((await read.attachments()).nodes).toMatchObject([
      { url: pull.url, sourceType: "github", metadata: { status: "merge" } },
    ]);
  });

  it("can be found out: the integration and where it moves cards", async () => {
    expect((await s.client.integrations()).nodes).toMatchObject([{ service: "github" }]);
    const team = await s.client.team(s.eng.id);
    const rules = (await team.gitAutomationStates()).nodes;
    expect(await Promise.all(rules.map(async ({ event, state }) => [event, (await state)?.name]))).toEqual([
      ["merge", "Done"],
      ["start", "In Progress"],
    ]);
  });

  it("can be told other rules, or switched off", () => {
    github.rule(s.eng, "start", undefined);
    github.rule(s.eng, "review", s.linear.state(s.eng, "In Review"));
    github.opened(pull);
    expect(issue.state.name).toBe("Backlog");
    github.readyForReview(pull);
    expect(issue.state.name).toBe("In Review");
    github.isOn = false;
    github.merged(pull);
    expect(issue.state.name).toBe("In Review");
  });

  it("knows cards by magic words, of which some only link", () => {
    const other = { ...pull, branch: "topic" };
    github.opened({ ...other, body: "Part of ENG-1." });
    expect(issue.state.name).toBe("In Progress");
    github.merged({ ...other, body: "Part of ENG-1." });
    expect(issue.state.name).toBe("In Progress");
    github.merged({ ...other, body: "Fixes ENG-1" });
    expect(issue.state.name).toBe("Done");
  });

  it("hears GitHub's own webhooks", () => {
    const { url, branch, ...rest } = pull;
    const seen = { ...rest, html_url: url, head: { ref: branch }, body: null, merged: false, draft: true };
    github.rule(s.eng, "draft", s.linear.state(s.eng, "Todo"));
    github.hear("push", {});
    github.hear("pull_request", { action: "opened", pull_request: seen });
    expect(issue.state.name).toBe("Todo");
    github.hear("pull_request", { action: "closed", pull_request: { ...seen, merged: true } });
    expect(issue.state.name).toBe("Done");
  });
});
