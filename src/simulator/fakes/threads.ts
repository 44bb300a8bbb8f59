/** Conversations on lines, in memory: what people say there, and our reply and their end. */
import type { Forge, Voice } from "../../ports.ts";
import type { Hub, HubPull, HubRemark } from "./hub.ts";

export const threadForge = (hub: Hub): Pick<Forge, "threads"> => ({
  threads: async ({ number }) => {
    const pull = hub.pulls.get(number);
    if (pull === undefined) return [];
    return pull.remarks
      .filter(({ to }) => to === undefined)
      .map((root) => ({
        id: idOf(root),
        resolved: root.resolved,
        outdated: false,
        path: root.path,
        side: "RIGHT" as const,
        lines: { from: root.line, to: root.line },
        writtenOn: root.head,
        hunk: `@@ -0,0 +${root.line} @@`,
        comments: pull.remarks
          .filter(({ id, to }) => id === root.id || to === root.id)
          .map(({ id, by, body, at, editor }) => ({
            id,
            by,
            byId: 0,
            kind: by === hub.bot ? ("forgehand" as const) : ("person" as const),
            body,
            at,
            edited:
              editor === undefined
                ? ("no" as const)
                : editor === by
                  ? ("by author" as const)
                  : ("by other" as const),
            review: undefined,
          })),
      }));
  },
});

export const threadTalk = (hub: Hub): Pick<Voice, "replyInThread" | "resolveThread"> => ({
  replyInThread: async (key, { number }, root, marker, body) => {
    const pull = hub.pulls.get(number);
    const first = pull?.remarks.find(({ id }) => id === root);
    if (pull === undefined || first === undefined) return;
    const line = `<!-- forgehand:${marker} -->`;
    if (pull.remarks.some(({ by, body: said }) => by === hub.bot && said.split("\n", 1)[0] === line)) return;
    const write = { key, operation: "reply in a review thread", ref: refOf(hub, number) };
    await hub.write(write, () =>
      remark(hub, pull, { ...first, by: hub.bot, body: `${line}\n${body}`, to: root }),
    );
  },
  resolveThread: async (key, { number }, thread) => {
    const root = hub.pulls.get(number)?.remarks.find((one) => one.to === undefined && idOf(one) === thread);
    if (root === undefined || root.resolved) return;
    const write = { key, operation: "resolve a review thread", ref: refOf(hub, number) };
    await hub.write(write, () => void (root.resolved = true));
  },
});

/** What people do on lines. */
export interface PeopleOnLines {
  /** Says something on a line of the diff; answers under it; changes what a comment there says. */
  remark(
    by: string,
    pull: number,
    at: { readonly path: string; readonly line: number },
    body: string,
  ): Promise<number>;
  reply(by: string, pull: number, to: number, body: string): Promise<number>;
  editRemark(by: string, pull: number, id: number, body: string): Promise<void>;
}

export const peopleOnLines = (hub: Hub): PeopleOnLines => ({
  remark: async (by, number, { path, line }, body) => {
    const pull = pullOf(hub, number);
    return remark(hub, pull, { by, body, path, line, head: pull.head, to: undefined });
  },
  reply: async (by, number, to, body) => {
    const pull = pullOf(hub, number);
    return remark(hub, pull, { ...remarkOf(pull, to), by, body, to });
  },
  editRemark: async (by, number, id, body) => {
    Object.assign(remarkOf(pullOf(hub, number), id), { body, editor: by });
  },
});

const refOf = ({ repo }: Hub, number: number): string => `${repo.owner}/${repo.name}#${number}`;
const idOf = ({ id }: HubRemark): string => `thread-${id}`;

function remark(
  hub: Hub,
  pull: HubPull,
  said: Pick<HubRemark, "by" | "body" | "path" | "line" | "head" | "to">,
): number {
  const { by, body, path, line, head, to } = said;
  const id = hub.nextId();
  pull.remarks.push({
    id,
    by,
    body,
    path,
    line,
    head,
    to,
    at: hub.now(),
    resolved: false,
    editor: undefined,
  });
  return id;
}

function pullOf(hub: Hub, number: number): HubPull {
  const pull = hub.pulls.get(number);
  if (pull === undefined) throw new Error(`The hub has no pull request ${number}.`);
  return pull;
}

function remarkOf({ remarks }: HubPull, id: number): HubRemark {
  const found = remarks.find((one) => one.id === id);
  if (found === undefined) throw new Error(`The hub has no comment ${id}.`);
  return found;
}
