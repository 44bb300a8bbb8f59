import { Trouble, type Key } from "../../ports.ts";
import type {
  LinearSessionRef,
  LinearSessions,
  SessionLink,
  SessionSays,
  SessionWritten,
} from "../../ports-linear-sessions.ts";
import type { LinearIssueRef } from "../../state-machine/ticket-id.ts";
import { capped } from "../github/text.ts";
import { openLinear, type LinearApi, type LinearOptions } from "./api.ts";
import { updateIssue } from "./documents.ts";
import { readIssue } from "./facts.ts";
import { activityQuery, createActivity, delegateQuery, updateSession } from "./session-documents.ts";
import { linearMarkdown } from "./markdown.ts";
import { isGone, isTaken } from "./trouble.ts";
import { idFor } from "./voice.ts";

/** How often another id is tried, when somebody else took the one before. */
const mostIds = 4;
/** Of the short words of an action, and of a step of the plan. */
const mostShort = 500;

/** What we do in agent sessions, over a connection of their own: what is said first waits for nobody else's budget of time. */
export function linearSessions(options: LinearOptions): LinearSessions {
  const api = openLinear(options);
  // That the token is one of this very workspace is known before anything is written with it.
  const within = <Result>(
    doing: string,
    workspace: string,
    work: (us: { readonly id: string; readonly app: boolean }) => Promise<Result>,
  ): Promise<Result> => api.within(doing, workspace, async () => work(await api.identity(workspace)));
  return {
    say: (on, name, says) =>
      within("speak in an agent session", on.workspace, (us) => say(api, us.id, { on, name, says })),
    plan: (on, steps) =>
      within("write the plan of an agent session", on.workspace, () =>
        update(api, on, "write a plan", {
          plan: steps.map(({ content, status }) => ({ content: short(api, content), status })),
        }),
      ),
    link: (on, links) =>
      within("link from an agent session", on.workspace, () =>
        update(api, on, "link from a session", { externalUrls: links.map((link) => linkOf(api, link)) }),
      ),
    takeOver: (issue) => within("take an issue over", issue.workspace, (us) => takeOver(api, us, issue)),
    labelsOf: (issue) =>
      within("read the labels of an issue", issue.workspace, async () =>
        (await readIssue(api, issue))?.labels.map(({ name }) => name),
      ),
    unlabel: (issue, names) =>
      within("take labels off an issue", issue.workspace, () => unlabel(api, issue, names)),
  };
}

const short = (api: LinearApi, text: string): string => capped(api.scrub(text), mostShort);
const long = (api: LinearApi, text: string): string => capped(api.scrub(linearMarkdown(text)));

interface Saying {
  readonly on: LinearSessionRef;
  readonly name: string;
  readonly says: SessionSays;
}

async function say(api: LinearApi, us: string, { on, name, says }: Saying): Promise<SessionWritten> {
  const { workspace, session } = on;
  const input = { agentSessionId: session, ...inputOf(api, says) };
  for (let attempt = 0; attempt < mostIds; attempt += 1) {
    const id = idFor(workspace, session, name, attempt);
    await writing(api, on, "speak in a session", name);
    try {
      await api.ask(workspace, createActivity, { input: { ...input, id } });
      return "written";
    } catch (error) {
      if (isGone(error, "AgentSession")) return "gone";
      if (!isTaken(error)) throw error;
      if (!(await isTheirs(api, us, on, id))) return "written";
    }
  }
  throw new Trouble(
    "linear-refused",
    `Linear took none of ${mostIds} ids for what we say in agent session ${session}: others have them.`,
    { permanent: true },
  );
}

/** Whether somebody who knew how our ids are made took this one. One that is gone from view was ours, said and passed. */
async function isTheirs(api: LinearApi, us: string, on: LinearSessionRef, id: string): Promise<boolean> {
  try {
    const { agentActivity: found } = await api.ask(on.workspace, activityQuery, { id });
    return found.user.id !== us || found.agentSession.id !== on.session;
  } catch (error) {
    if (isGone(error, "AgentActivity")) return false;
    throw error;
  }
}

function inputOf(api: LinearApi, says: SessionSays): Readonly<Record<string, unknown>> {
  switch (says.type) {
    case "thought":
      return {
        content: { type: "thought", body: long(api, says.body) },
        ...(says.kept === "until the next" ? { ephemeral: true } : {}),
      };
    case "action":
      return {
        content: {
          type: "action",
          action: short(api, says.action),
          parameter: short(api, says.parameter),
        },
      };
    case "elicitation":
      return {
        content: { type: "elicitation", body: long(api, says.body) },
        ...(says.options === undefined || says.options.length === 0
          ? {}
          : { signal: "select", signalMetadata: { options: says.options } }),
      };
    case "response":
    case "error":
      return { content: { type: says.type, body: long(api, says.body) } };
  }
}

async function update(
  api: LinearApi,
  on: LinearSessionRef,
  operation: string,
  input: Readonly<Record<string, unknown>>,
): Promise<SessionWritten> {
  await writing(api, on, operation, operation);
  try {
    await api.ask(on.workspace, updateSession, { id: on.session, input });
    return "written";
  } catch (error) {
    if (isGone(error, "AgentSession")) return "gone";
    throw error;
  }
}

function linkOf(api: LinearApi, { label, url }: SessionLink): SessionLink {
  if (!/^https?:\/\/[^\s@]+$/u.test(url))
    throw new Trouble(
      "linear-refused",
      "Only links to the web, without credentials, can stand in an agent session.",
      { permanent: true },
    );
  return { label: short(api, label), url };
}

async function takeOver(
  api: LinearApi,
  us: { readonly id: string; readonly app: boolean },
  { workspace, issue }: LinearIssueRef,
): Promise<void> {
  // A person's own key cannot be delegated anything.
  if (!us.app) return;
  try {
    const found = (await api.ask(workspace, delegateQuery, { id: issue })).issue;
    const isHidden = found.archivedAt !== undefined || found.trashed === true;
    if (found.id !== issue || isHidden || found.delegate !== undefined) return;
    await api.writing(`delegate ${issue}` as Key, "become the delegate", { workspace, issue });
    await api.ask(workspace, updateIssue, { id: issue, input: { delegateId: us.id } });
  } catch (error) {
    if (!isGone(error, "Issue")) throw error;
  }
}

async function unlabel(api: LinearApi, ref: LinearIssueRef, names: readonly string[]): Promise<void> {
  const unwanted = new Set(names.map((name) => name.toLowerCase()));
  try {
    const found = await readIssue(api, ref);
    const removed = found?.labels.filter(({ name }) => unwanted.has(name.toLowerCase())) ?? [];
    if (removed.length === 0) return;
    await api.writing(`unlabel ${ref.issue}` as Key, "set labels", ref);
    await api.ask(ref.workspace, updateIssue, {
      id: ref.issue,
      input: { removedLabelIds: removed.map(({ id }) => id) },
    });
  } catch (error) {
    if (!isGone(error, "Issue")) throw error;
  }
}

/** Told as a write of the session: what it hangs on is nobody's concern there. */
const writing = (api: LinearApi, on: LinearSessionRef, operation: string, name: string): Promise<void> =>
  api.writing(`${on.session} ${name}` as Key, operation, { workspace: on.workspace, issue: on.session });
