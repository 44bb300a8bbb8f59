import type { Asking } from "./derived.ts";
import { linearError } from "./errors.ts";
import { freshId, lookUp } from "./lookup.ts";
import { done, inputOf, liveIssue, textOf, type Args, type Mutations } from "./mutation.ts";
import { agentActs, openSession, promptSession } from "./sessions.ts";
import { touch, type SimIssue, type SimSession } from "./world.ts";

type Links = SimSession["externalLinks"];

/** A session that is the asker's own: agents do not speak in each other's. */
function ownSession(asking: Asking, id: unknown): SimSession {
  const session = lookUp(asking, "AgentSession", id);
  if (session.appUser !== asking.caller.user)
    throw linearError("forbidden", "This agent session belongs to another agent");
  return session;
}

function linksOf(input: Args): Links | undefined {
  const { externalUrls, externalLink } = input;
  if (Array.isArray(externalUrls)) return externalUrls.map(linkOf);
  if (typeof externalLink === "string") return [{ label: "Open", url: externalLink }];
  return externalLink === null || externalUrls === null ? [] : undefined;
}
function linkOf(given: unknown): Links[number] {
  const { label, url } = given as { label: string; url: string };
  if (!URL.canParse(url)) throw linearError("invalid", `${url} is no URL`);
  return { label, url };
}

const statuses = ["pending", "inProgress", "completed", "canceled"];

/** A plan is given whole each time: an array of steps with content and status. */
function planOf(plan: unknown): unknown {
  if (plan === null) return undefined;
  if (!Array.isArray(plan)) throw linearError("invalid", "plan must be an array of steps");
  for (const step of plan as readonly (Args | null)[])
    if (typeof step?.["content"] !== "string" || !statuses.includes(String(step["status"])))
      throw linearError("invalid", `each step of a plan has content and a status of ${statuses.join(", ")}`);
  return plan;
}

function start(asking: Asking, issue: SimIssue, input: Args, thread?: SimSession["comment"]): Args {
  const { user, token } = asking.caller;
  if (token.install === undefined || !user.app)
    throw linearError("forbidden", "Only an app (actor=app) can open an agent session");
  const agentSession = openSession(asking.linear, {
    appUser: user,
    issue,
    creator: undefined,
    untold: true,
    externalLinks: linksOf(input) ?? [],
    ...(thread === undefined ? {} : { thread, sourceComment: thread }),
  });
  return done(asking, { agentSession });
}

function update(asking: Asking, id: unknown, input: Args): Args {
  const session = ownSession(asking, id);
  const { addedExternalUrls, removedExternalUrls } = input;
  if ("plan" in input) session.plan = planOf(input["plan"]);
  if ("summary" in input) session.summary = textOf(input["summary"]);
  let links = linksOf(input) ?? session.externalLinks;
  if (Array.isArray(removedExternalUrls))
    links = links.filter(({ url }) => !removedExternalUrls.includes(url));
  if (Array.isArray(addedExternalUrls)) {
    const added = addedExternalUrls.map(linkOf);
    links = [...links.filter(({ url }) => !added.some((one) => one.url === url)), ...added];
  }
  session.externalLinks = links;
  touch(asking.linear.world, session);
  return done(asking, { agentSession: session });
}

const linkKeys = ["externalLink", "externalUrls"];

/** Agent sessions: what the agent says, plans and links to. */
export const agentMutations: Mutations = {
  agentActivityCreate: (args, asking) => {
    const keys = ["agentSessionId", "content", "ephemeral", "id", "signal", "signalMetadata"];
    const input = inputOf(args, keys, "AgentActivityCreateInput");
    const session = ownSession(asking, input["agentSessionId"]);
    const agentActivity = agentActs(asking.linear, session, {
      id: freshId(asking, "AgentActivity", input["id"]),
      content: input["content"],
      ephemeral: input["ephemeral"] === true,
      signal: textOf(input["signal"]),
      signalMetadata: input["signalMetadata"] ?? undefined,
    });
    return done(asking, { agentActivity });
  },
  agentActivityCreatePrompt: (args, asking) => {
    const input = inputOf(args, ["agentSessionId", "content", "signal"], "AgentActivityCreatePromptInput");
    const { user } = asking.caller;
    if (user.app) throw linearError("forbidden", "Prompts are made by people");
    const session = lookUp(asking, "AgentSession", input["agentSessionId"]);
    const body = textOf((input["content"] as Args)["body"]) ?? "";
    const signal = input["signal"] === "stop" ? "stop" : undefined;
    return done(asking, { agentActivity: promptSession(asking.linear, session, { user, body, signal }) });
  },
  agentSessionCreateOnIssue: (args, asking) => {
    const input = inputOf(args, ["issueId", ...linkKeys], "AgentSessionCreateOnIssue");
    return start(asking, liveIssue(asking, input["issueId"]), input);
  },
  agentSessionCreateOnComment: (args, asking) => {
    const input = inputOf(args, ["commentId", ...linkKeys], "AgentSessionCreateOnComment");
    const comment = lookUp(asking, "Comment", input["commentId"]);
    return start(asking, comment.issue, input, comment.parent ?? comment);
  },
  agentSessionUpdate: (args, asking) =>
    update(
      asking,
      args["id"],
      inputOf(
        args,
        ["plan", "summary", "addedExternalUrls", "removedExternalUrls", ...linkKeys],
        "AgentSessionUpdateInput",
      ),
    ),
  agentSessionUpdateExternalUrl: (args, asking) =>
    update(
      asking,
      args["id"],
      inputOf(
        args,
        ["addedExternalUrls", "removedExternalUrls", ...linkKeys],
        "AgentSessionUpdateExternalUrlInput",
      ),
    ),
};
