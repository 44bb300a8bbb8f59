/** A whole forgehand on the simulated forge, and a webhook on loopback that people are told by. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { channelOf, openServices, type Services } from "../notify/services.ts";
import { openWorld, type World } from "../world.ts";

let services: Services;
let world: World;
beforeEach(async () => {
  services = await openServices();
});
afterEach(async () => {
  await world.close();
  await services.close();
});

const notifiedWorld = async (): Promise<World> =>
  await openWorld({
    environment: {
      notify: [channelOf(`json://${services.host}/hook?events=waiting,blocked,merged`)],
    },
  });
const asking = `
import { Approval, workflow } from "forgehand";
import { z } from "zod";
export default workflow({
  name: "docs",
  input: z.object({}),
  output: z.object({ summary: z.string() }),
  render: () => <Approval id="go" ask="Begin?" />,
  result: () => ({ summary: "nothing" }),
});
`;
const itemsSent = () =>
  services.requests.flatMap(
    ({ json }) => json["items"] as { says: string; url: string; title: string; next: string }[],
  );

test("a ticket that waits sends one message with the way to the pull request, and its merge by a person none", async () => {
  world = await notifiedWorld();
  const { people } = world;
  const issue = people.openIssue({
    by: "bob",
    title: "Say <b>done</b>\u001b[31m @all",
    body: "Write src/done.txt.",
  });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  const { shop } = world.forgehand;
  expect(itemsSent()).toMatchObject([
    {
      says: `acme/web#${issue} waits for your review`,
      title: "Say <b>done</b>[31m @all",
      next: expect.stringMatching(/^approve the pull request/u),
      url: `${shop.remoteOf({ ...world.repo, installation: 1 } as never).url.replace(/\.git$/u, "")}/pull/${pull}`,
    },
  ]);
  await people.approve(pull, "bob");
  await world.untilState(issue, "Done");
  await world.settled();
  expect(itemsSent()).toHaveLength(1);
});

test("what a workflow of the operator's own asks is told, with the command that answers it", async () => {
  world = await notifiedWorld();
  const folder = join(world.dir, "data", "workflows");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "docs.tsx"), asking);
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  for (const label of ["workflow/docs", "agent-ready"]) world.people.label(issue, label, "bob");
  await world.until("it is told", () => services.requests.length > 0);
  const run = (await world.forgehand.store.load(`github:${world.repo.id}#${issue}`))?.ticket.run;
  expect(itemsSent()).toMatchObject([
    {
      says: `acme/web#${issue} asks you something`,
      why: "Begin?",
      next: expect.stringContaining(`forgehand approve ${run} own/go,`),
    },
  ]);
});

test("what happens while it is down is told when it starts again, once", async () => {
  world = await notifiedWorld();
  const { people } = world;
  services.answer({ status: 503 });
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.until("it was tried", () => services.requests.length > 0);
  await world.forgehand.stop(0);
  services.answer({ status: 200, body: "ok" });
  const before = services.requests.length;
  await world.start();
  await world.until("it is told", () => services.requests.length > before);
  await world.settled();
  expect(services.requests.slice(before).flatMap(({ json }) => json["items"])).toMatchObject([
    { says: `acme/web#${issue} waits for your review` },
  ]);
  expect(services.requests).toHaveLength(before + 1);
});
