import type { Voice } from "../../ports.ts";
import type { Hub, HubIssue } from "./hub.ts";
import { openOwnIssue } from "./own-issue.ts";

/** Issues of ours that people must act upon, on the in-memory hub. */
export function noticeVoice(hub: Hub): Pick<Voice, "writeNotice" | "closeNotice"> {
  const at = `${hub.repo.owner}/${hub.repo.name}`;
  const find = (marker: string): HubIssue | undefined =>
    [...hub.issues.values()].find(
      (one) => one.author === hub.bot && one.is !== "gone" && one.body.startsWith(`${lineOf(marker)}\n`),
    );
  return {
    writeNotice: async (key, _repo, marker, { title, body }) => {
      const text = `${lineOf(marker)}\n${body}`;
      const own = find(marker);
      if (own !== undefined) {
        if (own.title !== title || own.body !== text)
          await hub.write({ key, ref: `${at}#${own.number}`, operation: "edit an issue" }, () =>
            Object.assign(own, { title, body: text, updatedAt: hub.now() }),
          );
        return own.number;
      }
      return await openOwnIssue(hub, key, { title, body: text });
    },
    closeNotice: async (key, _repo, marker, word) => {
      const own = find(marker);
      if (own === undefined || own.is !== "open") return;
      const ref = `${at}#${own.number}`;
      const line = lineOf(`${marker} over`);
      if (!own.comments.some(({ body }) => body.startsWith(line)))
        await hub.write({ key, ref, operation: "write a comment" }, () => {
          own.comments.push({
            id: hub.nextId(),
            by: hub.bot,
            body: `${line}\n${word}`,
            reactions: [],
          });
        });
      await hub.write({ key, ref, operation: "close or open an issue" }, () => {
        own.is = "completed";
        own.updatedAt = hub.now();
      });
    },
  };
}

const lineOf = (marker: string): string => `<!-- forgehand:${marker} -->`;
