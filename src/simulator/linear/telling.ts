import { enters, type Actor, type Linear, type SimInstall } from "./context.ts";
import type { Target } from "./courier.ts";
import { childOf, dataOf, iso, urlOf } from "./payloads.ts";
import { organizationOf, teamOf, type SimComment, type SimIssue, type SimNode } from "./world.ts";

/** Tells every webhook that wants to know of it that an entity was made, changed or removed. */
export function tell(
  linear: Linear,
  action: "create" | "update" | "remove",
  node: SimNode,
  actor: Actor,
  updatedFrom?: Readonly<Record<string, unknown>>,
): void {
  const data = dataOf(node);
  if (data === undefined) return;
  const payload = {
    action,
    type: node.__typename,
    actor: actorData(actor),
    createdAt: iso(linear.world.clock.now()),
    data,
    url: pageOf(node),
    organizationId: organizationOf(node)?.id,
    ...(updatedFrom === undefined ? {} : { updatedFrom }),
  };
  for (const to of listeners(linear, node)) linear.courier.send(to, node.__typename, action, payload);
}

/** Tells one installed app something that concerns nobody else. */
export function tellApp(
  linear: Linear,
  install: SimInstall,
  event: "AgentSessionEvent" | "OAuthApp" | "PermissionChange",
  action: string,
  rest: Readonly<Record<string, unknown>> = {},
): void {
  const { webhook, clientId } = install.app;
  // That it was thrown out is told to every app, asked for or not.
  if (!webhook.enabled || (event !== "OAuthApp" && !webhook.resourceTypes.includes(event))) return;
  linear.courier.send(webhook, event, action, {
    type: event,
    action,
    createdAt: iso(linear.world.clock.now()),
    organizationId: install.organization.id,
    oauthClientId: clientId,
    ...rest,
  });
}

function listeners(linear: Linear, node: SimNode): readonly Target[] {
  const organization = organizationOf(node);
  const team = teamOf(node);
  const type = node.__typename;
  const apps = linear.installs
    .filter(
      (install) => install.organization === organization && (team === undefined || enters(install, team)),
    )
    .map(({ app }) => app.webhook);
  const hooks = linear.world.tables.Webhook.filter(
    (hook) =>
      hook.organization === organization &&
      (team === undefined || hook.team === team || (hook.team === undefined && !team.private)),
  );
  return [...apps, ...hooks].filter((hook) => hook.enabled && hook.resourceTypes.includes(type));
}

function actorData(actor: Actor): Record<string, unknown> | null {
  switch (actor.is) {
    case "user":
      return { ...childOf.user(actor.user), type: "user" };
    case "integration":
      return { id: actor.id, service: actor.service, type: "integration" };
    case "linear":
      return null;
  }
}

function pageOf(node: SimNode): string | null {
  if (node.__typename === "Issue") return urlOf.issue(node as SimIssue);
  if (node.__typename === "Comment") return urlOf.comment(node as SimComment);
  return null;
}
