/** Every command in a comment: the reaction it gets, the words, what it moves, and what a stranger gets. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { commandNames } from "../../src/webhooks/command.ts";
import { openWorld, type World } from "../world.ts";

let world: World;
let issue: number;
beforeEach(async () => {
  world = await openWorld();
  issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
});
afterEach(() => world.close());

interface Heard {
  readonly reactions: readonly string[];
  /** What was said below the comment and is no workpad. */
  readonly answers: readonly string[];
}
/** Says it, and waits until all that follows has followed. */
async function say(by: string, body: string): Promise<Heard> {
  const comment = world.people.comment(issue, by, body);
  await world.settled();
  const { comments } = world.people.thread(issue);
  const at = comments.findIndex(({ id }) => id === comment);
  return {
    reactions: comments[at]?.reactions.map(({ content }) => content) ?? [],
    answers: comments
      .slice(at + 1)
      .map((one) => one.body)
      .filter((text) => !text.includes("forgehand workpad")),
  };
}
async function inReview(): Promise<void> {
  world.people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
}

describe("a person with write", () => {
  test("is told every command by `help`, on an issue that is no ticket yet too", async () => {
    const { reactions, answers } = await say("bob", "/forgehand help");
    expect(reactions).toEqual(["eyes"]);
    expect(answers).toHaveLength(1);
    for (const name of commandNames) expect(answers[0]).toContain(`/forgehand ${name}`);
    expect(await world.stateOf(issue)).not.toBe("Gate");
  });

  test("is told where it stands by `status`, and what it waits for by `explain`", async () => {
    await inReview();
    const status = await say("bob", "/forgehand status");
    expect(status).toMatchObject({ reactions: ["eyes"], answers: [expect.stringContaining("In Review")] });
    const explained = await say("bob", "/forgehand explain");
    expect(explained.reactions).toEqual(["eyes"]);
    expect(explained.answers).toEqual([expect.stringContaining("the approval of this head by a person")]);
    expect(await world.stateOf(issue)).toBe("In Review");
  });

  test("releases by `run`, stops by `stop`, goes on by `retry`, and lets it be merged by `approve`", async () => {
    expect(await say("bob", "/forgehand run")).toEqual({ reactions: ["eyes"], answers: [] });
    await world.untilState(issue, "In Review");
    expect((await say("bob", "/forgehand stop")).reactions).toEqual(["eyes"]);
    expect(await world.stateOf(issue)).toBe("Blocked");
    expect((await say("bob", "/forgehand retry")).reactions).toEqual(["eyes"]);
    await world.untilState(issue, "In Review");
    await world.settled();
    expect((await say("bob", "/forgehand approve")).reactions).toEqual(["eyes"]);
    await world.untilState(issue, "Done");
  });

  test("is told what is wrong with what cannot be meant, and nothing moves", async () => {
    await inReview();
    for (const [said, why] of [
      ["aprove", "did you mean `/forgehand approve`?"],
      ["approve of it", "`approve` takes nothing, or the commit it is for"],
      ["run claude", "`run` takes no argument"],
      ["budget much", "`budget` takes dollars"],
      ["budget 5", "does not wait for money"],
      ["run", "it is released and on its way"],
      ["retry", "it is not blocked"],
      ["approve 1234567", "1234567"],
    ] as const) {
      const { reactions, answers } = await say("bob", `/forgehand ${said}`);
      expect(reactions, said).toEqual(["confused"]);
      expect(answers, said).toEqual([expect.stringContaining(why)]);
      expect(await world.stateOf(issue), said).toBe("In Review");
    }
  });

  test("is told so where there is no ticket to move yet", async () => {
    for (const [name, why] of [
      ["retry", "there is no ticket here yet"],
      // Answering made one of it, which nobody has released.
      ["retry", "`/forgehand run` releases it"],
      ["stop", "there is nothing to stop"],
      ["approve", "there is no open pull request"],
    ] as const) {
      const { reactions, answers } = await say("bob", `/forgehand ${name}`);
      expect(reactions, name).toEqual(["confused"]);
      expect(answers, name).toEqual([expect.stringContaining(why)]);
    }
    expect(await world.stateOf(issue)).toBe("Backlog");
  });
});

describe("a passer-by", () => {
  test("is refused what moves a ticket, in words, and nothing moves", async () => {
    await inReview();
    for (const [at, said] of ["run", "retry", "stop", "approve", "budget 5", "tell be quick"].entries()) {
      // Each of them is told once on a ticket.
      world.people.person(`eve${at}`, "read");
      const { reactions, answers } = await say(`eve${at}`, `/forgehand ${said}`);
      expect(reactions, said).toEqual(["confused"]);
      expect(answers, said).toEqual([expect.stringMatching(/this takes (?:triage|write) access/)]);
      expect(await say(`eve${at}`, `/forgehand ${said}`), said).toEqual({ reactions: [], answers: [] });
      expect(await world.stateOf(issue), said).toBe("In Review");
    }
  });

  test("cannot make it talk by a question", async () => {
    await inReview();
    for (const said of ["help", "status", "explain", "ask why?", "nonsense"])
      expect(await say("eve", `/forgehand ${said}`), said).toEqual({ reactions: [], answers: [] });
    // It does listen.
    expect((await say("bob", "/forgehand help")).answers).toHaveLength(1);
  });
});
