import { released } from "../certificate/merged.ts";
import type { World } from "../world.ts";

/** A released ticket whose pull request has passed its first review. */
export async function inReview(
  world: World,
): Promise<{ readonly issue: number; readonly pull: number; readonly branch: string }> {
  const issue = released(world);
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  return { issue, pull, branch: world.people.thread(pull).pull?.headRef ?? "" };
}
