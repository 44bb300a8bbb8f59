import { addComment, deleteComment, editComment, react } from "./comments.ts";
import { by, type Linear, type SimApp } from "./context.ts";
import { archiveIssue, changeIssue, createIssue, destroyIssue, type IssueChange } from "./issues.ts";
import type { OAuth } from "./oauth.ts";
import { assertDelegable, promptSession } from "./sessions.ts";
import { addLabel, addState, changeState, removeLabel, removeState } from "./settings.ts";
import { tellApp } from "./telling.ts";
import {
  born,
  identifierOf,
  isIdentifier,
  touch,
  type SimComment,
  type SimIssue,
  type SimLabel,
  type SimRelation,
  type SimSession,
  type SimState,
  type SimTeam,
  type SimUser,
  type StateCategory,
} from "./world.ts";

/** An issue by its identifier in that person's workspace, or itself. */
type IssueLike = string | SimIssue;

/** What one person does in Linear, so that a test reads as a play. Webhooks tell of it, as Linear would. */
export interface Person {
  readonly user: SimUser;
  issue(identifier: string): SimIssue;
  open(team: SimTeam, title: string, more?: Omit<IssueChange, "team" | "title">): SimIssue;
  edit(issue: IssueLike, change: IssueChange): void;
  /** Moves a card to the column of that name. */
  drag(issue: IssueLike, to: string | SimState): void;
  assign(issue: IssueLike, to: SimUser | undefined): void;
  /** Hands an issue to an agent, as picking it for assignee does; the newest session of it is what came of that. */
  delegate(issue: IssueLike, to: SimUser): SimSession;
  undelegate(issue: IssueLike): void;
  label(issue: IssueLike, ...names: readonly string[]): void;
  unlabel(issue: IssueLike, name: string): void;
  comment(issue: IssueLike, body: string, under?: SimComment): SimComment;
  editComment(comment: SimComment, body: string): void;
  deleteComment(comment: SimComment): void;
  react(comment: SimComment, emoji: string): void;
  /** Names an agent in a comment; the session that began, or the one whose thread it was said in. */
  mention(issue: IssueLike, agent: SimUser, text: string, under?: SimComment): SimSession;
  /** Answers in the thread of a session. */
  reply(session: SimSession, body: string): SimComment;
  /** Presses stop. */
  stop(session: SimSession): void;
  /** Dismisses a session, which takes the issue from its agent. */
  dismiss(session: SimSession): void;
  block(issue: IssueLike, waitsFor: IssueLike): SimRelation;
  archive(issue: IssueLike): void;
  unarchive(issue: SimIssue): void;
  /** To the bin, or out of it for good. */
  delete(issue: IssueLike, how?: "for good"): void;
  newLabel(
    name: string,
    spec?: { readonly team?: SimTeam; readonly group?: SimLabel; readonly isGroup?: true },
  ): SimLabel;
  deleteLabel(name: string): void;
  newState(team: SimTeam, name: string, type: StateCategory): SimState;
  renameState(state: SimState, name: string): void;
  /** Takes a column off the board; its cards move to another first. */
  removeState(state: SimState, cardsTo: SimState): void;
  /** Installs an app, as an admin does on the consent screen. */
  grant(app: SimApp, how: Parameters<OAuth["install"]>[2]): ReturnType<OAuth["install"]>;
  /** Throws an app out. */
  revoke(app: SimApp): void;
  /** Lets an installed app into teams, or shuts it out of them. */
  changeAccess(
    app: SimApp,
    change: { readonly add?: readonly SimTeam[]; readonly remove?: readonly SimTeam[] },
  ): void;
}

/** The verbs of one person. */
export function personOn(
  linear: Linear & { readonly oauth: Pick<OAuth, "install" | "revoke"> },
  user: SimUser,
): Person {
  const { world } = linear;
  const { tables } = world;
  const actor = by(user);
  const found = (issue: IssueLike): SimIssue => {
    if (typeof issue !== "string") return issue;
    const one = tables.Issue.find(
      (other) => other.team.organization === user.organization && isIdentifier(other, issue),
    );
    if (one === undefined) throw new Error(`there is no ${issue} in ${user.organization.name}`);
    return one;
  };
  const change = (issue: IssueLike, what: IssueChange): void =>
    void changeIssue(linear, found(issue), what, actor);
  const labelNamed = (issue: SimIssue, name: string): SimLabel => {
    const one = tables.IssueLabel.find(
      (label) =>
        label.organization === user.organization &&
        (label.team === undefined || label.team === issue.team) &&
        label.name === name,
    );
    return one ?? addLabel(linear, { name, organization: user.organization }, actor);
  };
  const newest = (appUser: SimUser, issue: SimIssue): SimSession => {
    const one = tables.AgentSession.filter(
      (session) => session.issue === issue && session.appUser === appUser,
    ).at(-1);
    if (one === undefined) throw new Error(`${appUser.displayName} has no session on ${identifierOf(issue)}`);
    return one;
  };
  return {
    user,
    issue: found,
    open: (team, title, more = {}) => createIssue(linear, { ...more, team, title }, actor),
    edit: change,
    drag: (issue, to) => {
      const { team } = found(issue);
      const state =
        typeof to === "string"
          ? tables.WorkflowState.find(
              (one) => one.team === team && one.name === to && one.archivedAt === undefined,
            )
          : to;
      if (state === undefined)
        throw new Error(`the board of ${team.key} has no column ${typeof to === "string" ? to : to.name}`);
      change(issue, { state });
    },
    assign: (issue, assignee) => change(issue, { assignee }),
    delegate: (issue, delegate) => {
      const one = found(issue);
      assertDelegable(linear, delegate, one);
      change(one, { delegate });
      return newest(delegate, one);
    },
    undelegate: (issue) => change(issue, { delegate: undefined }),
    label: (issue, ...names) => {
      const one = found(issue);
      const added = names.map((name) => labelNamed(one, name));
      // On the board a label takes the place of another of its group.
      const kept = one.labels.filter(
        ({ parent }) => parent === undefined || !added.some((label) => label.parent === parent),
      );
      change(one, { labels: [...new Set([...kept, ...added])] });
    },
    unlabel: (issue, name) =>
      change(issue, { labels: found(issue).labels.filter((label) => label.name !== name) }),
    comment: (issue, body, under) => addComment(linear, { issue: found(issue), body, parent: under }, actor),
    editComment: (comment, body) => editComment(linear, comment, body, actor),
    deleteComment: (comment) => deleteComment(linear, comment, actor),
    react: (comment, emoji) => void react(linear, { comment, emoji }, actor),
    mention: (issue, agent, text, under) => {
      const one = found(issue);
      addComment(linear, { issue: one, body: `@${agent.displayName} ${text}`, parent: under }, actor);
      return newest(agent, one);
    },
    reply: (session, body) =>
      addComment(linear, { issue: session.issue, parent: session.comment, body }, actor),
    stop: (session) => void promptSession(linear, session, { user, body: "Stop", signal: "stop" }),
    dismiss: (session) => {
      session.dismissedAt = world.clock.now();
      session.dismissedBy = user;
      touch(world, session);
      if (session.issue.delegate === session.appUser) change(session.issue, { delegate: undefined });
    },
    block: (issue, waitsFor) => {
      const relation: SimRelation = {
        ...born(world, "IssueRelation", undefined),
        issue: found(waitsFor),
        relatedIssue: found(issue),
        type: "blocks",
      };
      tables.IssueRelation.push(relation);
      return relation;
    },
    archive: (issue) => archiveIssue(linear, found(issue), "archived", actor),
    unarchive: (issue) => archiveIssue(linear, issue, "active", actor),
    delete: (issue, how) =>
      how === undefined
        ? archiveIssue(linear, found(issue), "trashed", actor)
        : destroyIssue(linear, found(issue), actor),
    newLabel: (name, { team, group, isGroup } = {}) =>
      addLabel(
        linear,
        { name, organization: user.organization, team, parent: group, isGroup: isGroup === true },
        actor,
      ),
    deleteLabel: (name) => {
      for (const label of tables.IssueLabel.filter(
        (one) => one.name === name && one.organization === user.organization,
      ))
        removeLabel(linear, label, actor);
    },
    newState: (team, name, type) => addState(linear, { team, name, type }),
    renameState: (state, name) => changeState(linear, state, { name }),
    removeState: (state, cardsTo) => {
      for (const issue of tables.Issue.filter((one) => one.state === state))
        change(issue, { state: cardsTo });
      removeState(linear, state);
    },
    grant: (app, how) => linear.oauth.install(app, admin(user).organization, how),
    revoke: (app) => linear.oauth.revoke(app, admin(user).organization),
    changeAccess: (app, { add = [], remove = [] }) => changeAccess(linear, user, app, { add, remove }),
  };
}

function admin(user: SimUser): SimUser {
  if (!user.admin) throw new Error(`${user.name} is no admin of ${user.organization.name}`);
  return user;
}

function changeAccess(
  linear: Linear,
  user: SimUser,
  app: SimApp,
  { add, remove }: { readonly add: readonly SimTeam[]; readonly remove: readonly SimTeam[] },
): void {
  const install = linear.installs.find((one) => one.app === app && one.organization === user.organization);
  if (install === undefined) throw new Error(`${app.name} is not installed in ${user.organization.name}`);
  // Shut out of one team, it enters only the others, one by one.
  const entered = install.entersAllPublicTeams
    ? linear.world.tables.Team.filter((team) => team.organization === user.organization && !team.private)
    : [];
  if (remove.length > 0) install.entersAllPublicTeams = false;
  install.teams = [...new Set([...(remove.length > 0 ? entered : []), ...install.teams, ...add])].filter(
    (team) => !remove.includes(team),
  );
  touch(linear.world, install.user);
  tellApp(linear, install, "PermissionChange", "teamAccessChanged", {
    appUserId: install.user.id,
    canAccessAllPublicTeams: install.entersAllPublicTeams,
    addedTeamIds: add.map(({ id }) => id),
    removedTeamIds: remove.map(({ id }) => id),
  });
}
