/** The demo with cards of a simulated Linear as tickets: people move them, and so do we. */
import type { Environment } from "../config-environment.ts";
import { openLinear } from "../linear.ts";
import { exitCodes } from "../problems.ts";
import type { SimApp } from "../simulator/linear/context.ts";
import { installForgehand, settingsOf, usualColumns } from "../simulator/linear/forgehand.ts";
import { startLinear, type RunningLinear } from "../simulator/linear/linear.ts";
import { personOn, type Person } from "../simulator/linear/people.ts";
import { identifierOf, type SimIssue, type SimTeam } from "../simulator/linear/world.ts";
import { linearTicketId } from "../state-machine/ticket-id.ts";
import { boardLines } from "./demo-board.ts";
import type { Card, Play, Stage } from "./demo-stage.ts";
import { stories, type Story } from "./demo-story.ts";
import { dim, Failure } from "./output.ts";

export interface DemoLinear {
  readonly settings: Pick<Environment, "linear" | "linearWebhookSecrets">;
  readonly courier: RunningLinear["courier"];
  play(stage: Stage): Promise<Play>;
  close(): Promise<void>;
}

/** Starts a Linear with a workspace in which our application is installed. */
export async function openDemoLinear(): Promise<DemoLinear> {
  const linear = await startLinear();
  const { app } = installForgehand(linear);
  return {
    settings: settingsOf(linear, app),
    courier: linear.courier,
    play: async (stage) => await playOnLinear(await connect(linear, app, stage)),
    close: () => linear.close(),
  };
}

interface Ticket extends Card {
  readonly issue: SimIssue;
}
/** Who plays on which board. */
interface Scene {
  readonly linear: RunningLinear;
  readonly stage: Stage;
  readonly ada: Person;
  readonly team: SimTeam;
}

/** Somebody's own account there, their team's board, webhooks to us, and our sign-in. */
async function connect(linear: RunningLinear, app: SimApp, stage: Stage): Promise<Scene> {
  const { hub, forgehand, environment, settled } = stage;
  const account = hub.state.people.get("ada")?.id;
  const user = linear.user(app.home, { name: "Ada", gitHubUserId: String(account) });
  const team = linear.team(app.home, {
    key: "ENG",
    name: "Engineering",
    states: usualColumns,
    members: [user],
  });
  app.webhook.url = `${forgehand.url}/webhooks/linear`;
  const { desk, oauth } = openLinear({ environment, store: forgehand.store, page: () => undefined });
  const signedIn = await desk.signIn("client-credentials", () => oauth.clientCredentials());
  if (signedIn.is !== "signed-in")
    throw new Failure(exitCodes.failed, `the simulated Linear refused the sign-in: ${signedIn.why}`);
  // Which repository a card is about is clear once the installation is known.
  await settled(linear.courier);
  return { linear, stage, ada: personOn(linear, user), team };
}

/** What people do on the board and on the forge, and wait for. One after the other: the first mends the repository's test. */
async function playOnLinear(scene: Scene): Promise<Play> {
  const { tell, untilState, comesTrue } = scene.stage;
  const [good, vague, rejected] = [
    write(scene, stories.good),
    write(scene, stories.vague),
    write(scene, stories.rejected),
  ];
  showBoard(scene);
  release(scene, good, vague);
  await approve(scene, good);
  const isBack = (await untilState(vague, ["Backlog", "Blocked", "Done"])) === "Backlog";
  const missing = (): readonly string[] => listed(scene, vague, /^\d+\. (.+)$/gmu);
  const isFlagged = (): boolean =>
    isBack &&
    vague.issue.state.name === "Backlog" &&
    vague.issue.labels.some(({ name }) => name === "needs-spec") &&
    missing().length > 0;
  await comesTrue(isFlagged);
  for (const gap of missing()) tell(`  ${vague.name}`, dim(`needs ${gap}`));
  release(scene, rejected);
  await approve(scene, rejected);
  const isDone = (ticket: Ticket): boolean =>
    ticket.issue.state.name === "Done" &&
    linksOf(scene, ticket).some(({ title }) => title.endsWith(": merged"));
  const isFinished = (): boolean => isDone(good) && isDone(rejected);
  await comesTrue(isFinished);
  showBoard(scene);
  for (const ticket of [good, rejected])
    for (const { title, subtitle } of linksOf(scene, ticket))
      tell(`  ${ticket.name}`, `links ${title} ${dim(`· ${subtitle ?? ""}`)}`);
  return { good, vague, rejected, isFlagged, isFinished };
}

function write({ stage, ada, team }: Scene, { title, body, labels }: Story): Ticket {
  const issue = ada.open(team, title, { description: body });
  const name = identifierOf(issue);
  stage.tell("ada", `writes ${name} “${title}”`);
  // Here a card that is moved releases, and consents.
  const own = labels.filter((label) => label.startsWith("runtime/"));
  if (own.length > 0) ada.label(issue, ...own);
  return { issue, name, id: linearTicketId({ workspace: team.organization.id, issue: issue.id }) };
}

function release({ stage, ada }: Scene, ...tickets: readonly Ticket[]): void {
  stage.tell("ada", `drags ${tickets.map(({ name }) => name).join(", ")} to Ready for Dev`);
  for (const { issue } of tickets) ada.drag(issue, "Ready for Dev");
}

async function approve(scene: Scene, ticket: Ticket): Promise<void> {
  const { ada } = scene;
  const { tell, untilState, comesTrue, forgehand } = scene.stage;
  if ((await untilState(ticket, ["In Review", "Blocked"])) !== "In Review") return;
  await comesTrue(() => ticket.issue.state.name === "In Review");
  showBoard(scene);
  const pull = (await forgehand.store.load(ticket.id))?.ticket.pull;
  if (pull === undefined) throw new Failure(exitCodes.failed, `${ticket.name} has no pull request`);
  for (const found of listed(scene, ticket, /^- \*\*blocker\*\* (.+)$/gmu))
    tell("reviewer", dim(`had found: ${found}`));
  tell("ada", `reads pull request #${pull} and drags ${ticket.name} to Merging, which approves this head`);
  ada.drag(ticket.issue, "Merging");
  await untilState(ticket, ["Done", "Blocked"]);
  await comesTrue(() => ticket.issue.state.name === "Done");
}

const showBoard = ({ linear, stage, team }: Scene): void =>
  stage.show(["", ...boardLines(linear.world.tables, team), ""]);

/** What our comments on a card list so. */
const listed = ({ linear }: Scene, { issue }: Ticket, item: RegExp): readonly string[] =>
  linear.world.tables.Comment.filter((one) => one.issue === issue && one.user?.app === true)
    .flatMap(({ body }) => [...body.matchAll(item)].map(([, text = ""]) => text))
    .map((text) => text.replaceAll("**", ""));

const linksOf = ({ linear }: Scene, { issue }: Ticket) =>
  linear.world.tables.Attachment.filter((one) => one.issue === issue);
