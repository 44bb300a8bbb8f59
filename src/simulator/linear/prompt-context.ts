import { iso } from "./payloads.ts";
import { identifierOf, type SimComment, type SimIssue, type SimSession, type World } from "./world.ts";

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** Rules a workspace and a team give to every agent. */
export function guidanceFor(issue: SimIssue): readonly Record<string, unknown>[] {
  const { team } = issue;
  return [
    ...(team.organization.guidance === undefined
      ? []
      : [{ body: team.organization.guidance, origin: { type: "Organization" } }]),
    ...(team.guidance === undefined
      ? []
      : [
          {
            body: team.guidance,
            origin: {
              type: "Team",
              team: { id: team.id, key: team.key, name: team.name, displayName: team.name },
            },
          },
        ]),
  ];
}

/** What Linear sends an agent to begin with: issue, threads and guidance as one marked-up text. */
export function promptContextOf(world: World, session: SimSession): string {
  const { issue } = session;
  const comments = world.tables.Comment.filter((one) => one.issue === issue);
  const thread = (name: string, root: SimComment): string =>
    [
      `<${name} comment-id="${root.id}">`,
      ...[root, ...comments.filter(({ parent }) => parent === root)].map(
        (one) =>
          `<comment author="${escaped(one.user?.displayName ?? "Linear")}" created-at="${iso(one.createdAt)}">${escaped(one.body)}</comment>`,
      ),
      `</${name}>`,
    ].join("\n");
  const { team, parent, project } = issue;
  const parts = [
    `<issue identifier="${identifierOf(issue)}">`,
    `<title>${escaped(issue.title)}</title>`,
    ...(issue.description === undefined ? [] : [`<description>${escaped(issue.description)}</description>`]),
    `<team name="${escaped(team.name)}"/>`,
    ...issue.labels.map(({ name }) => `<label>${escaped(name)}</label>`),
    ...(parent === undefined
      ? []
      : [
          `<parent-issue identifier="${identifierOf(parent)}"><title>${escaped(parent.title)}</title></parent-issue>`,
        ]),
    ...(project === undefined
      ? []
      : [`<project name="${escaped(project.name)}">${escaped(project.description)}</project>`]),
    "</issue>",
    thread("primary-directive-thread", session.comment),
    ...comments
      .filter((one) => one.parent === undefined && one !== session.comment)
      .map((one) => thread("other-thread", one)),
  ];
  const rules = [
    ...(team.organization.guidance === undefined
      ? []
      : [`<guidance-rule origin="workspace">${escaped(team.organization.guidance)}</guidance-rule>`]),
    ...(team.guidance === undefined
      ? []
      : [
          `<guidance-rule origin="team" team-name="${escaped(team.name)}">${escaped(team.guidance)}</guidance-rule>`,
        ]),
  ];
  return [...parts, ...(rules.length === 0 ? [] : ["<guidance>", ...rules, "</guidance>"])].join("\n");
}
