import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { built } from "./built.ts";
import type { AgentNews, HouseOrder } from "./house-child.ts";
import { figure, median, startChild, type Benchmark } from "./measure.ts";

const tickets = 12;
/**
 * Without a call to the forge for so long, the house has done what it had to do. After its last answer a ticket is busy
 * with git alone for a while: waiting less puts the end of one ticket into the figures of the next.
 */
const quietMs = 1_000;

interface Hop {
  readonly from: AgentNews["role"];
  readonly to: AgentNews["role"];
  readonly whole: number[];
  /** Without the time in which git was at work. */
  readonly own: number[];
}

/**
 * One ticket after the other on the simulated forge, the house in a process of its own: from the label to the moment in
 * which the agent's process is there, and to its first word, which is Node's time to start as well; then with instant
 * agents, from one agent's answer to the next agent's order. The baseline of a hop is the whole of it; its value is what
 * remains when the time in which git was at work is taken away. The forge's other answers stay in it.
 */
export const hop: Benchmark = async ({ dir }) => {
  const toProcess: number[] = [];
  const toWord: number[] = [];
  await walk(join(dir, "process"), "process", (labelled, news) => {
    toProcess.push(news("gate", "started").at - labelled);
    toWord.push(news("gate", "spoke").at - labelled);
  });
  const hops: readonly Hop[] = [
    { from: "gate", to: "build", whole: [], own: [] },
    { from: "build", to: "review", whole: [], own: [] },
  ];
  await walk(join(dir, "instant"), "instant", (_labelled, news) => {
    for (const { from, to, whole, own } of hops) {
      const [left, arrived] = [news(from, "answered"), news(to, "asked")];
      whole.push(arrived.at - left.at);
      own.push(arrived.at - left.at - (arrived.gitMs - left.gitMs));
    }
  });
  // Both kinds count alike: the median of all lies anywhere in the gap between two kinds so different.
  const meanOf = (times: (one: Hop) => readonly number[]): number =>
    hops.reduce((sum, one) => sum + median(times(one)), 0) / hops.length;
  const own = meanOf((one) => one.own);
  const whole = meanOf((one) => one.whole);
  return [
    figure("hop label to agent start", median(toProcess), "ms", tickets),
    figure("hop label to first word", median(toWord), "ms", tickets),
    ...hops.map((one) =>
      figure(`hop ${one.from} to ${one.to}`, median(one.own), "ms", one.own.length, median(one.whole)),
    ),
    figure("hop", own, "ms", hops.length * tickets, whole),
  ];
};

type Signs = (role: AgentNews["role"], is: AgentNews["is"]) => AgentNews;

/** Walks tickets from the label to the end of their review, the next when the house has become quiet. */
async function walk(
  dir: string,
  gate: HouseOrder["gate"],
  each: (labelled: number, news: Signs) => void,
): Promise<void> {
  const { startHub } = await built("hub");
  const { peopleOn } = await built("people");
  const hub = await startHub({ root: join(dir, "forge") });
  const config = "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\n";
  const repo = await hub.seed({
    owner: "acme",
    name: "web",
    files: { "README.md": "# web\n", ".github/forgehand.yml": config },
  });
  const people = peopleOn(hub, repo);
  people.person("bob", "write");
  const { app } = hub.state;
  const order: HouseOrder = {
    dir: join(dir, "house"),
    apiUrl: hub.url,
    appId: app.id,
    privateKey: app.privateKey,
    secret: app.webhookSecret,
    port: 0,
    gate,
  };
  const child = startChild("house-child.ts", [JSON.stringify(order)]);
  const quiet = async (): Promise<void> => {
    let seen: number;
    do {
      seen = hub.state.calls.length;
      await hub.courier.idle();
      await new Promise((resolve) => setTimeout(resolve, quietMs));
    } while (hub.state.calls.length > seen);
  };
  try {
    const { url } = (await child.heard()) as { readonly url: string };
    hub.courier.target(`${url}/webhooks/github`);
    for (let round = 0; round <= tickets; round += 1) {
      const issue = people.openIssue({
        by: "bob",
        title: `Say ${round}`,
        body: "Write done.txt with one word.",
      });
      await quiet();
      const labelled = performance.timeOrigin + performance.now();
      people.label(issue, "agent-ready", "bob");
      const news = await oneTicket(() => child.heard() as Promise<AgentNews>);
      // The first ticket also makes the mirror and warms every cache.
      if (round > 0) each(labelled, news);
    }
  } finally {
    hub.courier.target(undefined);
    await child.kill();
    await hub.close();
  }
}

/** Listens until the review has answered; answers each sign. */
async function oneTicket(heard: () => Promise<AgentNews>): Promise<Signs> {
  const signs = new Map<string, AgentNews>();
  for (;;) {
    const news = await heard();
    signs.set(`${news.role} ${news.is}`, news);
    if (news.role === "review" && news.is === "answered") break;
  }
  return (role, is) => {
    const sign = signs.get(`${role} ${is}`);
    if (sign === undefined) throw new Error(`no ${role} agent ${is}`);
    return sign;
  };
}
