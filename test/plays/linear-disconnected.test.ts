import { afterEach, expect, test } from "vitest";
import { openLinearWorld, type LinearWorld } from "../linear-world.ts";

let world: LinearWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

test("a process that knows nothing of Linear any more leaves the forge's issue of a card's number alone", async () => {
  const play = (world = await openLinearWorld());
  const { bob, eng, people, acme } = play;
  const stranger = people.openIssue({ by: "eve", title: "Another matter", body: "Nobody's ticket." });
  const card = bob.open(eng, "Say done", { description: "Write src/done.txt." });
  bob.drag(card, "Ready for Dev");
  await play.untilCard(card, "In Review");
  await play.settled();
  expect((await play.forgehand.store.load(play.idOf(card)))?.number).toBe(stranger);
  const pull = await play.pullOfCard(card);
  await play.forgehand.store.forgetLinear(acme.id);
  await play.forgehand.stop(0);
  Object.assign(play.environment, { linear: undefined, linearWebhookSecrets: [] });
  await play.start();
  await people.approve(pull, "bob");
  play.forgehand.reconcile();
  const { store } = play.forgehand;
  await play.until("what was said waits, or was read", async () => {
    await play.hub.courier.idle();
    const waiting = await store.unread(0, 10);
    return (await play.stateOfCard(card)) === "Done" || waiting.some(({ attempts }) => attempts > 0);
  });
  const { is, labels, comments } = issueState(play, stranger);
  expect({ is, labels, comments }).toEqual({ is: "open", labels: [], comments: 0 });
  expect(await play.stateOfCard(card)).toBe("In Review");
});

function issueState({ people }: LinearWorld, number: number) {
  const thread = people.thread(number);
  return { is: thread.state, labels: [...thread.labels], comments: thread.comments.length };
}
