/** Which review, by whom, on which head, comes to what: every combination, from the delivery on. */
import { describe, expect, test } from "vitest";
import type { Permission } from "../../src/ports.ts";
import type { Facts } from "../../src/webhooks/facts.ts";
import { interpret } from "../../src/webhooks/interpret.ts";
import { readGitHub } from "../../src/webhooks/read-github.ts";
import { facts as usual, head, older, pull, ticket } from "./facts.ts";

const self = { appId: 1, botLogin: "forgehand[bot]" };
const submitted = "2026-03-01T10:00:00Z";

type Who = "write" | "triage" | "read" | "bot" | "app in a person's name" | "ourselves";
const people: Readonly<
  Record<Who, { readonly login: string; readonly type: string; readonly permission: Permission }>
> = {
  write: { login: "alex", type: "User", permission: "write" },
  triage: { login: "alex", type: "User", permission: "triage" },
  read: { login: "alex", type: "User", permission: "read" },
  bot: { login: "helper[bot]", type: "Bot", permission: "write" },
  "app in a person's name": { login: "alex", type: "User", permission: "write" },
  ourselves: { login: "forgehand[bot]", type: "Bot", permission: "write" },
};

const facts = (permission: Permission, more: Partial<Facts>): Facts =>
  usual({
    permission,
    allowBots: ["helper[bot]"],
    issue: undefined,
    spec: undefined,
    ticket: { ...ticket, state: "In Review", spec: "s" },
    ...more,
  });
const repository = { id: 1, full_name: "acme/web", private: false, default_branch: "main" };

function comesTo(
  who: Who,
  delivery: { readonly name: string; readonly payload: object },
  more: Partial<Facts> = {},
): readonly string[] {
  const { login, type, permission } = people[who];
  const sender = { login, id: 7, type };
  const body = JSON.stringify({ repository, sender, ...delivery.payload });
  return readGitHub({ name: delivery.name, body }, self).flatMap((heard) => {
    const meaning = interpret(heard, facts(permission, more));
    return "events" in meaning ? meaning.events.map((event) => event.type) : [];
  });
}
const reviewed = (state: string, at: string, action = "submitted", by = "alex") => ({
  name: "pull_request_review",
  payload: {
    action,
    pull_request: { number: 43 },
    review: { id: 9, state, commit_id: at, body: "Not so.", submitted_at: submitted, user: { login: by } },
  },
});

const stances: readonly (readonly [
  state: string,
  who: Who,
  onHead: readonly string[],
  pushedSince: readonly string[],
])[] = [
  ["approved", "write", ["human.approved"], ["human.asked"]],
  ["changes_requested", "write", ["human.objected"], ["human.objected"]],
  ["commented", "write", [], []],
  ["pending", "write", [], []],
];
const others: readonly Who[] = ["triage", "read", "bot", "ourselves"];

describe("a submitted review", () => {
  const nobody = stances.flatMap(([state]) => others.map((who) => [state, who, [], []] as const));
  test.each([...stances, ...nobody])("%s by %s", (state, who, onHead, pushedSince) => {
    const { login } = people[who];
    expect(comesTo(who, reviewed(state, head, "submitted", login))).toEqual(onHead);
    expect(comesTo(who, reviewed(state, older, "submitted", login))).toEqual(pushedSince);
  });
});

describe("a dismissed review", () => {
  const objection = { id: "review:alex:1:objected", left: "nothing" } as const;
  test.each([
    ["write", ["order.withdrawn"], ["approval.withdrawn"]],
    ["triage", ["order.withdrawn"], ["approval.withdrawn"]],
    ["bot", [], ["approval.withdrawn"]],
    ["ourselves", [], ["approval.withdrawn"]],
  ] as const)("dismissed by %s", (who, ofObjection, ofApproval) => {
    for (const at of [head, older]) {
      const dismissed = reviewed("dismissed", at, "dismissed");
      expect(comesTo(who, dismissed, { objection })).toEqual(ofObjection);
      expect(comesTo(who, dismissed, { approvedBy: "alex" })).toEqual(ofApproval);
      expect(comesTo(who, dismissed, { approvedBy: "somebody" })).toEqual([]);
    }
  });
});

describe("words on a line", () => {
  const said = (body: string, at: string, more: object = {}) => ({
    name: "pull_request_review_comment",
    payload: {
      action: "created",
      pull_request: { number: 43 },
      comment: { id: 5, body, path: "a.ts", line: 3, commit_id: at, original_commit_id: at, ...more },
    },
  });
  test.each([
    ["write", ["human.told"], ["human.asked"]],
    ["triage", [], []],
    ["read", [], []],
    ["bot", [], []],
    ["app in a person's name", [], []],
    ["ourselves", [], []],
  ] as const)("by %s", (who, order, question) => {
    const via = who === "app in a person's name" ? { performed_via_github_app: { id: 77 } } : {};
    for (const at of [head, older]) {
      expect(comesTo(who, said("Rename it.", at, via))).toEqual(order);
      expect(comesTo(who, said("Why this name?", at, via))).toEqual(question);
      expect(
        comesTo(who, {
          ...said("Rename it.", at, via),
          payload: { ...said("Rename it.", at, via).payload, action: "edited" },
        }),
      ).toEqual([]);
    }
  });
  test("on a closed pull request, or of no ticket, they are nobody's order", () => {
    expect(comesTo("write", said("Rename it.", head), { pull: { ...pull, open: false } })).toEqual([]);
    expect(comesTo("write", said("Rename it.", head), { ticket: undefined })).toEqual([]);
  });
});

describe("a mention", () => {
  const comment = (body: string, more: object = {}) => ({
    name: "issue_comment",
    payload: {
      action: "created",
      issue: { number: 43, pull_request: {} },
      comment: { id: 6, body, ...more },
    },
  });
  test.each([
    ["@forgehand keep the alias", "write", ["human.told", "human.asked"]],
    ["@Forgehand, why is the alias gone?", "write", ["human.asked"]],
    ["@forgehand[bot] why is the alias gone?", "triage", ["human.asked"]],
    ["@forgehand keep the alias", "triage", ["human.asked"]],
    ["@forgehand keep the alias", "read", ["human.asked"]],
    ["@forgehand why?", "read", []],
    ["@forgehand keep the alias", "bot", []],
    ["I think @forgehand did well", "write", []],
    ["> @forgehand keep the alias", "write", []],
    ["@forgehands keep the alias", "write", []],
  ] as const)("%s, by %s", (body, who, events) => {
    expect(comesTo(who, comment(body))).toEqual(events);
  });
  test("an App in a person's name gives no order", () => {
    const via = { performed_via_github_app: { id: 77 } };
    expect(comesTo("write", comment("@forgehand keep the alias", via))).toEqual([]);
  });
});
