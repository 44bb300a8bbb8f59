import {
  getNamedType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  type GraphQLOutputType,
} from "graphql";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectGitHub } from "../../../src/simulator/linear/github-automation.ts";
import { linearSchema } from "../../../src/simulator/linear/schema.ts";
import { stand, type Json, type Stand } from "./stand.ts";

let s: Stand;
beforeAll(async () => (s = await stand()));
afterAll(() => s.close());

/** Which of a union's members a part of a payload is: it says so in a `type`, or by whose data it is. */
const memberOf = (union: string, value: Json, whole: Json): string => {
  if (union === "DataWebhookPayload") return `${String(whole["type"])}WebhookPayload`;
  const type = String(value["type"]);
  if (union === "EntityActorWebhookPayload")
    return type === "user" ? "UserActorWebhookPayload" : "IntegrationActorWebhookPayload";
  return `${type}OriginWebhookPayload`;
};

/** What a payload has that Linear does not declare, and what it lacks that Linear always sends. */
function misfits(value: unknown, type: GraphQLOutputType, path: string, whole: Json): readonly string[] {
  if (value === null || value === undefined) return isNonNullType(type) ? [`${path} is missing`] : [];
  const inner = isNonNullType(type) ? type.ofType : type;
  if (isListType(inner))
    return (value as readonly unknown[]).flatMap((one, at) =>
      misfits(one, inner.ofType, `${path}[${at}]`, whole),
    );
  const of = isUnionType(inner) ? linearSchema().getType(memberOf(inner.name, value as Json, whole)) : inner;
  if (of === undefined) return [`${path} is of no declared type`];
  if (!isObjectType(of)) return [];
  const fields = of.getFields();
  return [
    ...Object.keys(value)
      .filter((key) => fields[key] === undefined)
      .map((key) => `${path}.${key} is not declared in ${of.name}`),
    ...Object.values(fields).flatMap((field) =>
      misfits((value as Json)[field.name], field.type, `${path}.${field.name}`, whole),
    ),
  ];
}

const declaredAs: Readonly<Record<string, string>> = {
  AgentSessionEvent: "AgentSessionEventWebhookPayload",
  OAuthApp: "OAuthAppWebhookPayload",
  PermissionChange: "AppUserTeamAccessChangedWebhookPayload",
};

it("every webhook has the shape that Linear declares for it", async () => {
  const { ada, bob, eng, linear, acme } = s;
  acme.guidance = "Be brief.";
  eng.guidance = "Be kind.";
  const github = connectGitHub(linear, acme, ada.user);
  const group = ada.newLabel("size", { isGroup: true });
  ada.newLabel("small", { group });
  const cycle = linear.cycle(eng, { startsAt: 0, endsAt: 1, name: "First" });
  const project = linear.project(acme, { name: "Greeter", teams: [eng] });
  const parent = ada.open(eng, "Parent");
  const issue = ada.open(eng, "Whole", {
    parent,
    cycle,
    project,
    assignee: bob.user,
    estimate: 2,
    description: "x",
  });
  ada.label(issue, "small");
  const session = ada.delegate(issue, s.install.user);
  bob.reply(session, "Hello");
  ada.stop(session);
  ada.mention(issue, s.install.user, "and here", ada.comment(issue, "Thread"));
  ada.react(session.comment, "eyes");
  await s.client.createAgentActivity({
    agentSessionId: session.id,
    content: { type: "response", body: "Done" },
  });
  github.merged({ url: "https://git.example/1", number: 1, title: "Whole", branch: `x/eng-${issue.number}` });
  ada.delete(issue, "for good");
  ada.changeAccess(s.app, { remove: [eng] });
  ada.revoke(s.app);

  const heard = (await s.heard()).map(({ payload }) => payload);
  expect(new Set(heard.map(({ type }) => type))).toEqual(
    new Set(["Issue", "Comment", "IssueLabel", "Reaction", "Attachment", ...Object.keys(declaredAs)]),
  );
  const wrong = heard.flatMap((payload) => {
    const type = linearSchema().getType(declaredAs[payload.type] ?? "EntityWebhookPayload");
    return misfits(
      payload,
      getNamedType(type) as GraphQLOutputType,
      `${payload.type}.${payload.action}`,
      payload,
    );
  });
  expect([...new Set(wrong)]).toEqual([]);
});
