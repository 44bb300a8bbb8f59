import type { Key } from "../../ports.ts";
import type { Hub } from "./hub.ts";

/** Opens an issue in our name, and answers its number. */
export async function openOwnIssue(
  hub: Hub,
  key: Key,
  { title, body }: { readonly title: string; readonly body: string },
): Promise<number> {
  const ref = `${hub.repo.owner}/${hub.repo.name}`;
  return await hub.write({ key, ref, operation: "open an issue" }, () => {
    const number = hub.nextNumber();
    hub.issues.set(number, {
      number,
      title,
      body,
      author: hub.bot,
      is: "open",
      labels: [],
      updatedAt: hub.now(),
      labelled: [],
      textChangedAt: undefined,
      dependsOn: [],
      comments: [],
      reactions: [],
    });
    return number;
  });
}
