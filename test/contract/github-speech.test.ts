import { describe, expect, test } from "vitest";
import type { GitHub } from "../../src/adapters/github/app.ts";
import { githubVoice } from "../../src/adapters/github/voice.ts";
import { githubForge } from "../../src/adapters/github/github.ts";
import { bot, head, ok, pull, repo, scripted } from "./scripted.ts";
import type { Script } from "./scripted.ts";
import { key } from "./stage.ts";

describe("speaking", () => {
  const comments = "GET /repos/acme/shop/issues/4/comments";
  const line = "<!-- forgehand:workpad -->";

  test("another App's comment with our marker is not ours, nor a person's", async () => {
    const world = await scripted({
      [comments]: ok([
        {
          id: 1,
          body: `${line}\nx`,
          user: { login: "mallory", type: "User" },
          performed_via_github_app: { id: 9 },
        },
        {
          id: 2,
          body: `${line}\nx`,
          user: { login: "evil[bot]", type: "Bot" },
          performed_via_github_app: { id: 666 },
        },
        { id: 3, body: `quoting ${line}`, user: bot, performed_via_github_app: { id: 9 } },
      ]),
      "POST /repos/acme/shop/issues/4/comments": { status: 201, body: { id: 8 } },
    });
    expect(
      await githubVoice(world.github).upsertComment(key("k"), { repo, number: 4 }, "workpad", "hi hunter2"),
    ).toBe(8);
    expect(world.asks("POST", "/issues/4/comments")[0]?.body).toEqual({ body: `${line}\nhi [redacted]` });
    expect(world.writes).toEqual([{ key: "k", ref: "acme/shop#4", operation: "write a comment" }]);
  });

  test("a remembered id that is no longer ours is not written to", async () => {
    const world = await scripted({
      "GET /repos/acme/shop/issues/comments/1": ok({
        id: 1,
        body: `${line}\nx`,
        user: { login: "mallory", type: "User" },
      }),
      [comments]: ok([]),
      "POST /repos/acme/shop/issues/4/comments": { status: 201, body: { id: 8 } },
    });
    world.memory.set(`comment 77#4 ${line}`, "1");
    expect(
      await githubVoice(world.github).upsertComment(key("k"), { repo, number: 4 }, "workpad", "hi"),
    ).toBe(8);
  });

  test("a write that the cap forbids is not made", async () => {
    const world = await scripted({ [comments]: ok([]) });
    const capped: GitHub = {
      ...world.github,
      writing: () => Promise.reject(new Error("The cap is reached.")),
    };
    await expect(
      githubVoice(capped).upsertComment(key("k"), { repo, number: 4 }, "workpad", "hi"),
    ).rejects.toThrow("cap");
    expect(world.asks("POST", "/issues/4/comments")).toEqual([]);
  });

  test("a check run keeps GitHub's limits and is found by our App id alone", async () => {
    const world = await scripted({
      [`GET /repos/acme/shop/commits/${head}/check-runs`]: ok({
        total_count: 1,
        check_runs: [
          { id: 1, name: "forgehand / gate", app: { id: 666 }, status: "completed", conclusion: "success" },
        ],
      }),
      "POST /repos/acme/shop/check-runs": { status: 201, body: { id: 2 } },
    });
    await githubVoice(world.github).writeCheck(key("k"), repo, head, {
      name: "forgehand / gate",
      status: "completed",
      conclusion: "failure",
      title: "2 blockers",
      summary: `hunter2 ${"x".repeat(70_000)}`,
      externalId: "r1",
      detailsUrl: undefined,
      buttons: [1, 2, 3, 4].map((n) => ({
        label: `label ${n} far too long for it`,
        description: "d".repeat(60),
        identifier: `id-${n}-${"x".repeat(30)}`,
      })),
    });
    const body = JSON.stringify(world.asks("POST", "/check-runs")[0]?.body);
    const sent = JSON.parse(body) as {
      output: { summary: string };
      actions: { label: string; description: string; identifier: string }[];
    };
    expect(sent.output.summary.length).toBeLessThan(65_536);
    expect(body).not.toContain("hunter2");
    expect(
      sent.actions.map((each) => [each.label.length, each.description.length, each.identifier.length]),
    ).toEqual([
      [20, 40, 20],
      [20, 40, 20],
      [20, 40, 20],
    ]);
  });

  test("when GitHub refuses the inline comments, everything is said in the body", async () => {
    const posted: unknown[] = [];
    const world = await scripted({
      "GET /repos/acme/shop/pulls/3": ok(pull()),
      "GET /repos/acme/shop/pulls/3/reviews": ok([]),
      "GET /repos/acme/shop/pulls/3/files": ok([
        { filename: "a.ts", patch: "@@ -1,2 +1,3 @@\n one\n+two\n three" },
      ]),
      "POST /repos/acme/shop/pulls/3/reviews": ({ body }) => {
        posted.push(body);
        return posted.length === 1 ? { status: 422, body: { message: "Unprocessable" } } : ok({ id: 1 });
      },
    });
    const findings = [
      { path: "a.ts", line: 2, body: "inside" },
      { path: "a.ts", line: 40, body: "outside" },
    ];
    await githubVoice(world.github).postReview(key("run 1"), { repo, number: 3 }, head, "Verdict", findings);
    expect(posted).toMatchObject([
      {
        event: "COMMENT",
        commit_id: head,
        comments: [{ path: "a.ts", line: 2, side: "RIGHT" }],
        body: expect.not.stringContaining("inside"),
      },
      { event: "COMMENT", comments: [], body: expect.stringMatching(/a\.ts:2` inside[^]*a\.ts:40` outside/) },
    ]);
  });
});

test("arming that GitHub accepts and forgets is refused, so that the merge is made directly", async () => {
  const world = await scripted({
    "GET /repos/acme/shop": ok({}),
    "GET /repos/acme/shop/pulls/3": ok(pull()),
    "POST /graphql": ok({ data: {} }),
  });
  const answer = await githubForge(world.github).arm(key("k"), { repo, number: 3 }, head);
  expect(answer).toMatchObject({ is: "refused", how: "unavailable" });
});

describe("reactions", () => {
  const eyes = (login: string, type: string): object => ({ id: 1, content: "eyes", user: { login, type } });
  const at = { repo, number: 4 };

  test("ours is given once, whatever others gave", async () => {
    const given: unknown[] = [eyes("rob", "User"), eyes("other[bot]", "Bot")];
    const world = await scripted({
      "GET /repos/acme/shop/issues/comments/6/reactions": () => ok(given),
      "POST /repos/acme/shop/issues/comments/6/reactions": () => {
        given.push(eyes("forgehand[bot]", "Bot"));
        return "reset";
      },
    });
    const react = (): Promise<void> =>
      githubVoice(world.github).react(key("k"), at, { kind: "comment", id: 6, thread: 4 }, "eyes");
    await expect(react()).rejects.toMatchObject({ code: "github-unavailable" });
    await react();
    expect(world.asks("POST", "/comments/6/reactions").map((asked) => asked.body)).toEqual([
      { content: "eyes" },
    ]);
  });

  test("an inline comment is reacted to where it stands, a review by its node", async () => {
    const world = await scripted({
      "GET /repos/acme/shop/pulls/comments/6/reactions": ok([]),
      "POST /repos/acme/shop/pulls/comments/6/reactions": ok({ id: 1 }),
      "GET /repos/acme/shop/pulls/4/reviews/7": ok({ id: 7, node_id: "PRR_7" }),
      "POST /graphql": ok({ data: {} }),
    });
    const voice = githubVoice(world.github);
    await voice.react(key("a"), at, { kind: "inline", id: 6, thread: 4 }, "confused");
    await voice.react(key("b"), at, { kind: "review", id: 7, thread: 4 }, "hooray");
    expect(world.asks("POST", "/pulls/comments/6/reactions")).toHaveLength(1);
    expect(world.asks("POST", "/graphql")[0]?.body).toMatchObject({
      variables: { on: "PRR_7", content: "HOORAY" },
    });
  });
});

describe("pull requests", () => {
  const quiet: Script = {
    "GET /repos/acme/shop/pulls/3": ok(pull()),
    "GET /repos/acme/shop/pulls/3/reviews": ok([]),
    [`GET /repos/acme/shop/commits/${head}/check-runs`]: ok({ total_count: 0, check_runs: [] }),
    [`GET /repos/acme/shop/commits/${head}/status`]: ok({ statuses: [] }),
  };
  const read = async (script: Script) =>
    githubForge((await scripted({ ...quiet, ...script })).github).pull({ repo, number: 3 });
  const review = (id: number, login: string, state: string, fields: object = {}): object => ({
    id,
    state,
    user: { login, type: "User" },
    commit_id: head,
    submitted_at: `2026-01-01T00:00:0${id}Z`,
    body: "",
    ...fields,
  });

  test("rules that we may not read leave checks at none", async () => {
    expect(await read({})).toMatchObject({ checks: "none", mergeable: "yes" });
  });

  test("required checks come from the branch and from rulesets; ours is never waited for", async () => {
    const facts = await read({
      "GET /repos/acme/shop/branches/main": ok({
        protection: {
          required_status_checks: { enforcement_level: "everyone", contexts: ["ci", "forgehand / gate"] },
        },
      }),
      "GET /repos/acme/shop/rules/branches/main": ok([
        { type: "required_status_checks", parameters: { required_status_checks: [{ context: "lint" }] } },
      ]),
      [`GET /repos/acme/shop/commits/${head}/status`]: ok({
        statuses: [{ context: "lint", state: "success", target_url: null }],
      }),
    });
    expect(facts?.checks).toBe("pending");
    expect(facts?.checkList.map(({ name, is }) => `${name} ${is}`)).toEqual(["lint green", "ci pending"]);
  });

  test("a run that only bears the name of our gate still counts", async () => {
    const run = (id: number, app: number): object => ({
      id,
      name: "forgehand / gate",
      app: { id: app },
      status: "completed",
      conclusion: "failure",
      html_url: null,
    });
    expect(
      await read({
        [`GET /repos/acme/shop/commits/${head}/check-runs`]: ok({ total_count: 1, check_runs: [run(1, 9)] }),
      }),
    ).toMatchObject({ checks: "none" });
    expect(
      await read({
        [`GET /repos/acme/shop/commits/${head}/check-runs`]: ok({
          total_count: 1,
          check_runs: [run(1, 666)],
        }),
      }),
    ).toMatchObject({ checks: "red" });
  });

  test("the reviews of bots do not count, nor those nobody has sent", async () => {
    const facts = await read({
      "GET /repos/acme/shop/pulls/3/reviews": ok([
        review(1, "helper[bot]", "APPROVED", { user: { login: "helper[bot]", type: "Bot" } }),
        review(2, "wren", "PENDING"),
        review(3, "ada", "APPROVED"),
        review(4, "ada", "COMMENTED"),
        review(5, "bob", "CHANGES_REQUESTED"),
        review(6, "bob", "DISMISSED"),
      ]),
    });
    expect(facts?.approvals.map(({ by, is }) => `${by} ${is}`)).toEqual(["ada approved", "bob dismissed"]);
  });

  test.each([
    [405, "Pull Request is not mergeable", { mergeable: false, mergeable_state: "dirty" }, "conflict"],
    [405, 'Required status check "ci" is expected.', { mergeable_state: "blocked" }, "pending"],
    [
      405,
      "At least 1 approving review is required by reviewers with write access.",
      { mergeable_state: "blocked" },
      "policy",
    ],
    [405, "Base branch was modified. Review and try the merge again.", {}, "pending"],
    [405, "Changes must be made through the merge queue", { mergeable_state: "blocked" }, "unavailable"],
    [409, "Head branch was modified. Review and try the merge again.", {}, "moved"],
    [
      403,
      "refusing to allow a GitHub App to create or update workflow `ci.yml` without `workflows` permission",
      {},
      "policy",
    ],
  ])("a merge refused with %i %s", async (status, message, fields, how) => {
    const world = await scripted({
      "GET /repos/acme/shop": ok({
        allow_squash_merge: true,
        allow_merge_commit: false,
        allow_rebase_merge: false,
      }),
      "GET /repos/acme/shop/pulls/3": ok(pull(fields)),
      "PUT /repos/acme/shop/pulls/3/merge": { status, body: { message } },
    });
    const answer = await githubForge(world.github).merge(key("k"), { repo, number: 3 }, head, {
      title: "t",
      body: "b",
    });
    expect(answer).toEqual({ is: "refused", how, why: message });
  });

  test("a merge whose answer was lost is found merged, by the method that the repository allows", async () => {
    let merged = false;
    const world = await scripted({
      "GET /repos/acme/shop": ok({
        allow_squash_merge: false,
        allow_merge_commit: false,
        allow_rebase_merge: true,
      }),
      "GET /repos/acme/shop/pulls/3": () =>
        ok(pull(merged ? { merged: true, state: "closed", merge_commit_sha: "c".repeat(40) } : {})),
      "PUT /repos/acme/shop/pulls/3/merge": () => {
        merged = true;
        return "reset";
      },
    });
    const merge = () =>
      githubForge(world.github).merge(key("k"), { repo, number: 3 }, head, { title: "t", body: "b" });
    await expect(merge()).rejects.toMatchObject({ code: "github-unavailable" });
    expect(await merge()).toEqual({ is: "merged", merge: "c".repeat(40) });
    expect(world.asks("PUT", "/merge").map((asked) => asked.body)).toEqual([
      { sha: head, merge_method: "rebase" },
    ]);
  });

  test.each([
    ["UNPROCESSABLE", "Pull request is in clean status", "unavailable"],
    ["UNPROCESSABLE", "Auto merge is not allowed for this repository", "unavailable"],
  ])("arming refused as %s %s", async (type, message, how) => {
    const world = await scripted({
      "GET /repos/acme/shop": ok({}),
      "GET /repos/acme/shop/pulls/3": ok(pull()),
      "POST /graphql": ok({ data: null, errors: [{ type, message }] }),
    });
    const answer = await githubForge(world.github).arm(key("k"), { repo, number: 3 }, head);
    expect(answer).toMatchObject({ is: "refused", how });
  });

  test("asking for a review leaves draft by GraphQL, keeps a person's text and skips who may not review", async () => {
    let body = "Mine.\n\n<!-- forgehand:begin -->\nold\n<!-- forgehand:end -->\n\nAlso mine.";
    let draft = true;
    const world = await scripted({
      "GET /repos/acme/shop/pulls/3": () =>
        ok(pull({ body, draft, requested_reviewers: [{ login: "ada" }] })),
      "GET /repos/acme/shop/pulls/3/reviews": ok([]),
      "PATCH /repos/acme/shop/pulls/3": (asked) => {
        ({ body } = asked.body as { body: string });
        return ok(pull());
      },
      "POST /graphql": () => {
        draft = false;
        return ok({ data: {} });
      },
      "POST /repos/acme/shop/pulls/3/requested_reviewers": (asked) =>
        JSON.stringify(asked.body).includes("stranger")
          ? { status: 422, body: { message: "not a collaborator" } }
          : ok(pull()),
    });
    const ask = (): Promise<void> =>
      githubForge(world.github).askReview(
        key("k"),
        { repo, number: 3 },
        {
          region: "new hunter2 <!-- forgehand:end --> more",
          reviewers: ["ada", "wren", "stranger", "forgehand[bot]"],
        },
      );
    await ask();
    expect(body).toBe(
      "Mine.\n\n<!-- forgehand:begin -->\nnew [redacted]  more\n<!-- forgehand:end -->\n\nAlso mine.",
    );
    expect(world.asks("POST", "/requested_reviewers").map((asked) => asked.body)).toEqual([
      { reviewers: ["wren", "stranger"] },
      { reviewers: ["wren"] },
      { reviewers: ["stranger"] },
    ]);
    await ask();
    expect(world.asks("PATCH", "/pulls/3")).toHaveLength(1);
    expect(world.asks("POST", "/graphql")).toHaveLength(1);
  });
});
