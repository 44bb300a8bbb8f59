/** The demo with the forge's own issues as tickets. */
import { githubTicketId } from "../state-machine/ticket-id.ts";
import { exitCodes } from "../problems.ts";
import type { Card, Play, Stage } from "./demo-stage.ts";
import { stories, type Story } from "./demo-story.ts";
import { Failure } from "./output.ts";

interface Issue extends Card {
  readonly number: number;
}

/** What a person does, and waits for. */
export async function playOnGitHub({ people, tell, untilState, comesTrue, repo }: Stage): Promise<Play> {
  const open = (story: Story): Issue => {
    const number = people.openIssue({ by: "ada", title: story.title, body: story.body });
    tell("ada", `opens #${number} “${story.title}” and labels it ${story.labels.join(", ")}`);
    // The release comes last, so that the other labels are there when it is heard.
    for (const label of story.labels.toSorted(
      (one, other) => Number(one === "agent-ready") - Number(other === "agent-ready"),
    ))
      people.label(number, label, "ada");
    return { number, name: `#${number}`, id: githubTicketId(repo.id, number) };
  };
  const approve = async ({ number, name }: Issue): Promise<void> => {
    const pull = [...repo.threads.values()].find((thread) =>
      thread.pull?.headRef.startsWith(`forgehand/${number}-`),
    )?.number;
    if (pull === undefined) throw new Failure(exitCodes.failed, `${name} has no pull request`);
    tell("ada", `reads pull request #${pull} and approves it`);
    await people.approve(pull, "ada");
  };
  const good = open(stories.good);
  const vague = open(stories.vague);
  if ((await untilState(good, ["In Review", "Blocked"])) === "In Review") await approve(good);
  await untilState(good, ["Done", "Blocked"]);
  const rejected = open(stories.rejected);
  await untilState(rejected, ["Done", "Blocked"]);
  const isBack = (await untilState(vague, ["Backlog", "Blocked", "Done"])) === "Backlog";
  const isFlagged = (): boolean => isBack && people.thread(vague.number).labels.has("needs-spec");
  // The label follows the state: it is an effect.
  await comesTrue(isFlagged);
  return {
    good,
    vague,
    rejected,
    isFlagged,
    isFinished: () => [good, rejected].every(({ number }) => people.thread(number).state === "closed"),
  };
}
