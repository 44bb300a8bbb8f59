import { readFileSync, readdirSync } from "node:fs";
import examples from "@octokit/webhooks-examples";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRead } from "../../src/webhooks/github-events.ts";
import type { Heard } from "../../src/webhooks/heard.ts";
import { readGitHub } from "../../src/webhooks/read-github.ts";
import { specHash } from "../../src/webhooks/spec-hash.ts";

const self = { appId: 111, botLogin: "forgehand[bot]" };
const fixtures = new URL("../fixtures/deliveries/github/", import.meta.url);
const head = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334";
const older = "0f1e2d3c4b5a69788796a5b4c3d2e1f000112233";
const merge = "99887766554433221100ffeeddccbbaa99887766";

const read = (file: string): readonly Heard[] =>
  readGitHub(
    { name: file.split(".")[0] ?? "", body: readFileSync(new URL(`${file}.json`, fixtures), "utf8") },
    self,
  );

/** The main road, delivery by delivery: what each comes to. */
/** The text that the labelled issue of the fixtures holds. */
const spec = specHash({ title: "Session dies on 401", body: "Retry once with a fresh token." });
const road: Readonly<Record<string, Pick<Heard, "target" | "says">>> = {
  "issues.labeled": { target: { issue: 42 }, says: { type: "labelled", label: "agent-ready", spec } },
  "issues.labeled.by-us": { target: { issue: 42 }, says: { type: "labelled", label: "needs-spec", spec } },
  "issues.edited": { target: { issue: 42 }, says: { type: "issue.edited" } },
  "issues.closed": { target: { issue: 42 }, says: { type: "issue.closed", how: "declined" } },
  "issue_comment.created": {
    target: { pull: 43 },
    says: {
      type: "commented",
      comment: { kind: "comment", id: 901, thread: 43 },
      command: { name: "approve", sha: undefined },
      wroteOn: undefined,
    },
  },
  "pull_request.synchronize": { target: { pull: 43 }, says: { type: "pull.moved", head } },
  "pull_request.closed": { target: { pull: 43 }, says: { type: "pull.closed", merge } },
  "pull_request.edited": { target: { pull: 43 }, says: { type: "pull.retargeted", base: "next" } },
  "pull_request_review.submitted": {
    target: { pull: 43 },
    says: {
      type: "reviewed",
      state: "approved",
      head,
      body: "",
      comment: { kind: "review", id: 801, thread: 43 },
      command: undefined,
    },
  },
  "pull_request_review.dismissed": {
    target: { pull: 43 },
    says: { type: "review.dismissed", head, by: "alex", review: 801 },
  },
  "pull_request_review_comment.created": {
    target: { pull: 43 },
    says: {
      type: "commented",
      comment: { kind: "inline", id: 902, thread: 43 },
      command: { name: "explain" },
      wroteOn: older,
    },
  },
  "check_run.completed": { target: { head, pulls: [43] }, says: { type: "checks.changed", head } },
  "check_run.requested_action": {
    target: { head, pulls: [43] },
    says: { type: "button", identifier: "retry", head, externalId: "github:7001#42/3" },
  },
  status: { target: { head, pulls: [] }, says: { type: "checks.changed", head } },
  push: { target: { repo: "whole" }, says: { type: "config.changed", at: merge } },
  "installation.created": { target: { repo: "whole" }, says: { type: "installed" } },
  "repository.renamed": { target: { repo: "whole" }, says: { type: "repo.renamed" } },
};

describe("the deliveries of the main road", () => {
  test.each(Object.entries(road))("%s", (file, hint) => {
    const [heard, ...more] = read(file);
    expect(more).toEqual([]);
    expect(heard).toMatchObject({
      ...hint,
      repo: { id: 7001, owner: "acme", name: "web", installation: 501 },
    });
    expect({ target: heard?.target, says: heard?.says }).toEqual(hint);
  });
  test("every fixture is on the road", () => {
    const files = readdirSync(fixtures).map((file) => file.replace(/\.json$/u, ""));
    expect(files.toSorted()).toEqual(Object.keys(road).toSorted());
  });
});

describe("who speaks", () => {
  const by = (sender: unknown) => {
    const body = readFileSync(new URL("issues.labeled.json", fixtures), "utf8");
    const payload = { ...(JSON.parse(body) as object), sender };
    return readGitHub({ name: "issues", body: JSON.stringify(payload) }, self)[0]?.sender.kind;
  };
  test.each([
    [{ login: "alex", id: 1, type: "User" }, "person"],
    [{ login: "forgehand[bot]", id: 1, type: "Bot" }, "forgehand"],
    [{ login: "helper[bot]", id: 1, type: "Bot" }, "bot"],
    [{ login: "forgehand", id: 1, type: "User" }, "person"],
    [{ login: "forgehand[bot]", id: 1, type: "User" }, "bot"],
    [{ login: "acme", id: 1, type: "Organization" }, "bot"],
    [{ login: "old", id: 1, type: "Mannequin" }, "bot"],
    [undefined, "bot"],
  ])("%j counts as %s", (sender, kind) => {
    expect(by(sender)).toBe(kind);
  });
});

describe("every example GitHub publishes", () => {
  const cases = (examples as unknown as { name: string; examples: object[] }[]).flatMap(
    ({ name, examples: each }) => each.map((payload, index) => ({ name, index, payload })),
  );
  test("is read or passed over, and never throws", () => {
    expect(cases.length).toBeGreaterThan(200);
    for (const { name, payload } of cases) {
      const heard = readGitHub({ name, body: JSON.stringify(payload) }, self);
      if (!isRead(name)) expect(heard).toEqual([]);
      for (const { repo, sender } of heard) {
        expect(repo.id).toBeGreaterThan(0);
        expect(repo.owner).not.toBe("");
        expect(repo.name).not.toBe("");
        expect(["person", "bot", "forgehand"]).toContain(sender.kind);
      }
    }
  });
  test("says something in each of our events but the threads", () => {
    const said = new Set(
      cases.flatMap(({ name, payload }) =>
        readGitHub({ name, body: JSON.stringify(payload) }, self).map(() => name),
      ),
    );
    expect([...said].toSorted()).toEqual(
      [
        "check_run",
        "check_suite",
        "installation",
        "installation_repositories",
        "issues",
        "merge_group",
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
        "push",
        "repository",
        "status",
      ].toSorted(),
    );
  });
});

describe("what is no payload of ours", () => {
  test.each(["", "null", "[]", "{}", '"x"', "{", '{"repository":5}'])("%j teaches nothing", (body) => {
    expect(readGitHub({ name: "issues", body }, self)).toEqual([]);
  });
  test("any JSON in any place of a real payload never throws", () => {
    const names = Object.keys(road);
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue(), fc.nat(30), (file, value, at) => {
        const payload = JSON.parse(readFileSync(new URL(`${file}.json`, fixtures), "utf8")) as Record<
          string,
          unknown
        >;
        const places: [Record<string, unknown>, string][] = [];
        const walk = (object: Record<string, unknown>): void => {
          for (const [key, inner] of Object.entries(object)) {
            places.push([object, key]);
            if (typeof inner === "object" && inner !== null) walk(inner as Record<string, unknown>);
          }
        };
        walk(payload);
        const place = places[at % places.length];
        if (place !== undefined) place[0][place[1]] = value;
        readGitHub({ name: file.split(".")[0] ?? "", body: JSON.stringify(payload) }, self);
      }),
      { numRuns: 300 },
    );
  });
  test("our own check's news and a push elsewhere are none of our business", () => {
    const change = (file: string, edit: (payload: never) => void) => {
      const payload = JSON.parse(readFileSync(new URL(`${file}.json`, fixtures), "utf8")) as never;
      edit(payload);
      return readGitHub({ name: file.split(".")[0] ?? "", body: JSON.stringify(payload) }, self);
    };
    expect(
      change(
        "check_run.completed",
        (p: { check_run: { app: { id: number } } }) => (p.check_run.app.id = 111),
      ),
    ).toEqual([]);
    expect(
      change(
        "check_run.requested_action",
        (p: { check_run: { app: { id: number } } }) => (p.check_run.app.id = 222),
      ),
    ).toEqual([]);
    expect(change("push", (p: { ref: string }) => (p.ref = "refs/heads/topic"))).toEqual([]);
    expect(change("issue_comment.created", (p: { action: string }) => (p.action = "edited"))).toEqual([]);
  });
});
