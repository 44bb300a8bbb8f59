import type { Asking } from "./derived.ts";
import { linearError } from "./errors.ts";
import {
  addLabel,
  addState,
  attach,
  changeLabel,
  changeState,
  removeAttachment,
  removeLabel,
  removeState,
} from "./settings.ts";
import { freshId, lookUp, lookUpOptional } from "./lookup.ts";
import { actorOf, done, inputOf, liveIssue, textOf, type Args, type Mutations } from "./mutation.ts";
import { born, drop, touch, type SimWebhook, type StateCategory } from "./world.ts";

const labelKeys = ["name", "color", "description", "isGroup", "parentId"];
const attachmentKeys = ["title", "subtitle", "metadata", "iconUrl"];
const webhookKeys = ["url", "secret", "label", "enabled", "resourceTypes"];

/** Attaches a link, or renews the one with the same URL: an issue has each URL once. */
function attachTo(asking: Asking, input: Args, sourceType: string | undefined): Args {
  const issue = liveIssue(asking, input["issueId"]);
  const attachment = attach(
    asking.linear,
    {
      id: freshId(asking, "Attachment", input["id"]),
      issue,
      url: String(input["url"]),
      title: textOf(input["title"]) ?? String(input["url"]),
      subtitle: textOf(input["subtitle"]),
      metadata: (input["metadata"] ?? {}) as Args,
      sourceType,
      groupBySource: input["groupBySource"] === true,
    },
    actorOf(asking),
  );
  return done(asking, { attachment });
}

/** States, labels, attachments and webhooks. */
export const settingMutations: Mutations = {
  workflowStateCreate: (args, asking) => {
    const keys = ["id", "name", "type", "color", "description", "position", "teamId"];
    const input = inputOf(args, keys, "WorkflowStateCreateInput");
    const workflowState = addState(asking.linear, {
      id: freshId(asking, "WorkflowState", input["id"]),
      team: lookUp(asking, "Team", input["teamId"]),
      name: String(input["name"]),
      type: input["type"] as StateCategory,
      color: String(input["color"]),
      description: textOf(input["description"]),
      position: typeof input["position"] === "number" ? input["position"] : undefined,
    });
    return done(asking, { workflowState });
  },
  workflowStateUpdate: (args, asking) => {
    const input = inputOf(args, ["name", "color", "description", "position"], "WorkflowStateUpdateInput");
    const workflowState = lookUp(asking, "WorkflowState", args["id"]);
    changeState(asking.linear, workflowState, input);
    return done(asking, { workflowState });
  },
  workflowStateArchive: ({ id }, asking) => {
    const entity = lookUp(asking, "WorkflowState", id);
    removeState(asking.linear, entity);
    return done(asking, { entity });
  },
  issueLabelCreate: (args, asking) => {
    const input = inputOf(args, ["id", "teamId", ...labelKeys], "IssueLabelCreateInput");
    const issueLabel = addLabel(
      asking.linear,
      {
        id: freshId(asking, "IssueLabel", input["id"]),
        organization: asking.caller.organization,
        team: lookUpOptional(asking, "Team", input["teamId"]),
        name: String(input["name"]),
        color: textOf(input["color"]),
        description: textOf(input["description"]),
        isGroup: input["isGroup"] === true,
        parent: lookUpOptional(asking, "IssueLabel", input["parentId"]),
      },
      actorOf(asking),
    );
    return done(asking, { issueLabel });
  },
  issueLabelUpdate: (args, asking) => {
    const input = inputOf(args, labelKeys, "IssueLabelUpdateInput");
    const issueLabel = lookUp(asking, "IssueLabel", args["id"]);
    const { parentId, ...rest } = input;
    const parent = "parentId" in input ? { parent: lookUpOptional(asking, "IssueLabel", parentId) } : {};
    changeLabel(asking.linear, issueLabel, { ...rest, ...parent }, actorOf(asking));
    return done(asking, { issueLabel });
  },
  issueLabelDelete: ({ id }, asking) => {
    removeLabel(asking.linear, lookUp(asking, "IssueLabel", id), actorOf(asking));
    return done(asking, { entityId: id });
  },
  attachmentCreate: (args, asking) => {
    const keys = [
      ...attachmentKeys,
      "id",
      "issueId",
      "url",
      "groupBySource",
      "createAsUser",
      "displayIconUrl",
    ];
    return attachTo(asking, inputOf(args, keys, "AttachmentCreateInput"), "api");
  },
  attachmentLinkURL: (args, asking) => attachTo(asking, args, undefined),
  attachmentLinkGitHubPR: (args, asking) => attachTo(asking, args, "github"),
  attachmentUpdate: (args, asking) => {
    const input = inputOf(args, attachmentKeys, "AttachmentUpdateInput");
    const old = lookUp(asking, "Attachment", args["id"]);
    const { issue, url, groupBySource, sourceType } = old;
    const attachment = attach(
      asking.linear,
      {
        id: undefined,
        issue,
        url,
        groupBySource,
        sourceType,
        title: String(input["title"]),
        subtitle: "subtitle" in input ? textOf(input["subtitle"]) : old.subtitle,
        metadata: (input["metadata"] ?? old.metadata) as Args,
      },
      actorOf(asking),
    );
    return done(asking, { attachment });
  },
  attachmentDelete: ({ id }, asking) => {
    removeAttachment(asking.linear, lookUp(asking, "Attachment", id), actorOf(asking));
    return done(asking, { entityId: id });
  },
  webhookCreate: (args, asking) => {
    const input = inputOf(args, [...webhookKeys, "id", "teamId", "allPublicTeams"], "WebhookCreateInput");
    const team = lookUpOptional(asking, "Team", input["teamId"]);
    if (team === undefined && input["allPublicTeams"] !== true)
      throw linearError("invalid", "A webhook needs a team, or allPublicTeams");
    const { linear, caller } = asking;
    const webhook: SimWebhook = {
      ...born(linear.world, "Webhook", freshId(asking, "Webhook", input["id"])),
      organization: caller.organization,
      team,
      creator: caller.user,
      url: String(input["url"]),
      secret: textOf(input["secret"]) ?? `lin_wh_${linear.secret()}`,
      label: textOf(input["label"]),
      enabled: input["enabled"] !== false,
      resourceTypes: input["resourceTypes"] as readonly string[],
    };
    linear.world.tables.Webhook.push(webhook);
    linear.world.syncId += 1;
    return done(asking, { webhook });
  },
  webhookUpdate: (args, asking) => {
    const input = inputOf(args, webhookKeys, "WebhookUpdateInput");
    const webhook = lookUp(asking, "Webhook", args["id"]);
    Object.assign(webhook, Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null)));
    touch(asking.linear.world, webhook);
    return done(asking, { webhook });
  },
  webhookDelete: ({ id }, asking) => {
    drop(asking.linear.world, "Webhook", lookUp(asking, "Webhook", id));
    return done(asking, { entityId: id });
  },
};
