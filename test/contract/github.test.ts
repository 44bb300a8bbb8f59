import { expect, test } from "vitest";
import { forgeContract } from "./forge.contract.ts";
import { githubStage } from "./github-stage.ts";
import { key } from "./stage.ts";
import { trackerContract } from "./tracker.contract.ts";
import { voiceContract } from "./voice.contract.ts";

const frozen = "the emulator freezes a pull request's head when it is opened";
const noGraphql = "the emulator has no GraphQL; the wire tests speak it";

forgeContract("GitHub adapter", githubStage, {
  "an approval keeps the head it was given on": frozen,
  "merging another head is refused as moved": frozen,
  "asking for a review leaves draft": noGraphql,
  "a clean pull request cannot be armed": noGraphql,
  "an armed pull request can be disarmed, each once": noGraphql,
});
trackerContract("GitHub adapter", githubStage, {
  "what an issue waits for is known with how that stands":
    "the emulator knows no dependencies between issues; the simulated forge does",
});
voiceContract("GitHub adapter", githubStage, {
  "a reaction is given once, and a deleted comment needs none":
    "the emulator has no reactions; the wire tests give them",
  "findings inside the diff are said at their line":
    "the emulator invents the files of a diff and takes no lines",
  "a comment on a finding is brought up to date with its thread, once": noGraphql,
});

test("every token of a ticket's walk is for its repository alone, and none carries more than its calls need", async () => {
  const stage = await githubStage();
  try {
    const number = await stage.people.openIssue("rob", { title: "t", body: "b" });
    await stage.tracker.setLabels(
      key("a"),
      { repo: stage.repo, number },
      { add: ["needs-spec"], remove: [] },
    );
    await stage.voice.upsertComment(key("b"), { repo: stage.repo, number }, "workpad", "hello");
    const head = await stage.people.push("ada", "forgehand/1", { path: "a.ts", lines: 1 });
    const draft = {
      repo: stage.repo,
      branch: "forgehand/1",
      base: "main",
      title: "t",
      region: "r",
      draft: false,
    };
    const pull = await stage.forge.openPull(key("c"), draft);
    await stage.forge.pull(pull);
    await stage.forge.merge(key("d"), pull, head, { title: "t", body: "b" });
    const mints = stage.front.asked.filter((asked) => asked.path.endsWith("/access_tokens"));
    expect(mints.map((asked) => asked.body)).toEqual(
      [
        { issues: "write" },
        { pull_requests: "write", contents: "read" },
        { pull_requests: "read", checks: "read", statuses: "read", contents: "read" },
        { pull_requests: "write", contents: "write" },
      ].map((permissions) => ({ repository_ids: [stage.repo.id], permissions })),
    );
    const spoken = stage.front.asked
      .filter((asked) => asked.path.startsWith("/repos/"))
      .map((asked) => asked.token);
    expect(spoken.every((token) => token?.startsWith("ghs_"))).toBe(true);
  } finally {
    await stage.close();
  }
});
