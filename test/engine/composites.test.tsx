import { expect, test } from "vitest";
import { z } from "zod";
import {
  boardDone,
  Debate,
  debated,
  decidedBy,
  Kanban,
  Loop,
  Panel,
  reviewed,
  ReviewLoop,
  scanned,
  ScanFixVerify,
  supervised,
  Supervisor,
  Task,
  workflow,
  type AnyWorkflow,
  type Child,
  type Leaf,
  type Node,
  type Review,
} from "#engine";
import { hostAt, openWith } from "./git-world.ts";

const Num = z.number();
const Card = z.object({ steps: z.array(z.string()) });
const failing = (): never => {
  throw new Error("no");
};
const tell = <Output,>(named: Leaf<Output>, perform: () => Output | Promise<Output>): Node => (
  <Task {...named} retries={0} perform={perform} />
);
const giving = <Output,>(named: Leaf<Output>, node: () => Child): AnyWorkflow =>
  workflow({
    name: "w",
    input: z.object({}),
    output: named.output,
    render: () => node() as Node,
    result: (ctx) => ctx.output(named),
  });
const runOf = async (definition: AnyWorkflow) => await (await openWith(definition, hostAt())).start();

/** Runs it with a process that dies at its n-th task, and another that goes on; answers the run and how often each finished task ran. */
async function withRestartAt(n: number, make: (did: (what: string) => Promise<void>) => AnyWorkflow) {
  const finished: string[] = [];
  const { promise: died, resolve: die } = Promise.withResolvers<void>();
  let isDead = false;
  const dying = make(async (what) => {
    if (finished.length === n) {
      isDead = true;
      die();
    }
    if (isDead) await new Promise(() => undefined);
    finished.push(what);
  });
  const world = await openWith(dying, hostAt());
  void world.start();
  await died;
  // What it had finished comes to disk, within a turn or two; no promise is made for what does not.
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  world.die();
  const next = await openWith(
    make(async (what) => void finished.push(what)),
    hostAt(),
    world.path,
  );
  return { run: await next.resume(), finished };
}

const loop = (
  verdict: (reviewer: string, work: number) => Review,
  more: { readonly onExhausted?: "accept"; readonly did?: (what: string) => Promise<void> } = {},
) =>
  giving(reviewed("r", Num), () => (
    <ReviewLoop
      id="r"
      max={3}
      {...(more.onExhausted && { onExhausted: more.onExhausted })}
      work={Num}
      reviewers={["ada", "bob"]}
      build={({ leaf, round, findings }) =>
        tell(leaf, async () => (await more.did?.(`build ${round}`), round * 10 + findings.length))
      }
      review={({ leaf, reviewer, work, round }) =>
        tell(leaf, async () => (await more.did?.(`${reviewer} ${round}`), verdict(reviewer, work)))
      }
    />
  ));
const approveFrom = (least: number) => (reviewer: string, work: number) => ({
  approved: reviewer === "ada" || work >= least,
  findings: work >= least ? [] : [`${reviewer}: more`],
});

test("a review loop builds again with what all reviewers found until all approve", async () => {
  expect(await runOf(loop(approveFrom(20)))).toMatchObject({
    outcome: "met",
    output: { is: "approved", rounds: 2, work: 22, findings: [] },
  });
});
test("an exhausted review loop has not met it, and says what is still found where that is accepted", async () => {
  expect(await runOf(loop(approveFrom(99)))).toMatchObject({ status: "failed", outcome: "not met" });
  expect(await runOf(loop(approveFrom(99), { onExhausted: "accept" }))).toMatchObject({
    status: "finished",
    outcome: "not met",
    output: { is: "exhausted", rounds: 3, work: 32, findings: ["ada: more", "bob: more"] },
  });
});
test("a reviewer that fails fails the review loop: nothing is approved unseen", async () => {
  const run = await runOf(
    loop((reviewer) => (reviewer === "bob" ? failing() : { approved: true, findings: [] })),
  );
  expect(run).toMatchObject({ status: "failed", error: expect.stringContaining("r/review/bob") });
});
test.each([0, 2, 3, 5])("a review loop that is killed after %i tasks goes on there", async (n) => {
  const { run, finished } = await withRestartAt(n, (did) => loop(approveFrom(20), { did }));
  expect(run).toMatchObject({ output: { is: "approved", rounds: 2, work: 22 } });
  expect(finished.toSorted()).toEqual(["ada 1", "ada 2", "bob 1", "bob 2", "build 1", "build 2"]);
});

const panel = (
  answers: Readonly<Record<string, string | undefined>>,
  did?: (what: string) => Promise<void>,
) =>
  giving(decidedBy("p"), () => (
    <Panel
      id="p"
      members={Object.keys(answers)}
      ask={({ leaf, member }) =>
        tell(leaf, async () => (await did?.(member), { vote: answers[member] ?? failing(), why: member }))
      }
    />
  ));
test("a panel decides by majority, is split on a tie, and a member that fails is absent", async () => {
  expect(await runOf(panel({ a: "yes", b: "no", c: "yes" }))).toMatchObject({
    output: { is: "decided", decision: "yes", why: "2 for yes, 1 for no", absent: [] },
  });
  expect(await runOf(panel({ a: "yes", b: "no", c: undefined }))).toMatchObject({
    status: "finished",
    output: { is: "split", absent: ["c"] },
  });
});
test("a panel that too few answer fails with who did", async () => {
  expect(await runOf(panel({ a: "yes", b: undefined, c: undefined }))).toMatchObject({
    status: "failed",
    error: expect.stringContaining('only a of panel "p" answered; it takes 2 of 3'),
  });
  expect((await runOf(panel({ a: undefined })))?.error).toContain('nobody of panel "p" answered');
});
test("a panel's judge sees all votes and decides", async () => {
  const definition = giving(decidedBy("p"), () => (
    <Panel
      id="p"
      members={["a", "b"]}
      ask={({ leaf, member }) => tell(leaf, () => ({ vote: member, why: "" }))}
      judge={({ leaf, votes }) =>
        tell(leaf, () => ({ vote: votes.map(({ vote }) => vote).join("+"), why: "both" }))
      }
    />
  ));
  expect(await runOf(definition)).toMatchObject({ output: { is: "decided", decision: "a+b", why: "both" } });
});
test("a panel that is killed in the middle asks nobody twice", async () => {
  const { run, finished } = await withRestartAt(1, (did) => panel({ a: "y", b: "y", c: "n" }, did));
  expect(run).toMatchObject({ output: { decision: "y" } });
  expect(finished.toSorted()).toEqual(["a", "b", "c"]);
});

const debate = (winner: string, did?: (what: string) => Promise<void>) =>
  giving(debated("d"), () => (
    <Debate
      id="d"
      sides={["for", "against"]}
      rounds={2}
      argue={({ leaf, side, round, said }) =>
        tell(leaf, async () => (await did?.(`${side} ${round}`), { text: `${side} knows ${said.length}` }))
      }
      judge={({ leaf, said }) => tell(leaf, () => ({ winner, why: `${said.length} said` }))}
    />
  ));
test("in a debate each round knows those before, and a judge decides for a side or a draw", async () => {
  const texts = ["for knows 0", "against knows 0", "for knows 2", "against knows 2"];
  expect(await runOf(debate("for"))).toMatchObject({
    output: { winner: "for", why: "4 said", said: texts.map((text) => ({ text })) },
  });
  expect(await runOf(debate("draw"))).toMatchObject({ output: { winner: "draw" } });
});
test("a judge who names neither side fails the debate", async () => {
  const run = await runOf(debate("nobody"));
  expect(run).toMatchObject({ status: "failed", error: expect.stringContaining("d/judge") });
});
test("a debate that is killed in the middle hears nobody twice", async () => {
  const { run, finished } = await withRestartAt(2, (did) => debate("for", did));
  expect(run).toMatchObject({ output: { winner: "for" } });
  expect(finished).toHaveLength(4);
});

const kanban = (
  did: (what: string) => Promise<void> = () => Promise.resolve(),
  bad: (item: string, column: string) => boolean = () => false,
) => {
  const names = ["a", "b", "c", "d", "e"];
  const column = (name: string, wip: number) => ({
    name,
    wip,
    work: ({
      leaf,
      card,
      item,
    }: {
      leaf: Leaf<z.infer<typeof Card>>;
      card: z.infer<typeof Card>;
      item: string;
    }) =>
      tell(leaf, async () => {
        await did(`${name} ${item}`);
        return bad(item, name) ? failing() : { steps: [...card.steps, name] };
      }),
  });
  return (
    <Kanban
      id="k"
      card={Card}
      items={Object.fromEntries(names.map((name) => [name, { steps: [] }]))}
      columns={[column("build", 2), column("test", 1)]}
    />
  );
};
test("cards pass through all columns, pipelined, never more at once than a column takes", async () => {
  const atWork = new Map<string, number>();
  const most = new Map<string, number>();
  const order: string[] = [];
  const did = async (what: string) => {
    const [column = ""] = what.split(" ");
    order.push(what);
    atWork.set(column, (atWork.get(column) ?? 0) + 1);
    most.set(column, Math.max(most.get(column) ?? 0, atWork.get(column) ?? 0));
    await new Promise((resolve) => setImmediate(resolve));
    atWork.set(column, (atWork.get(column) ?? 0) - 1);
  };
  const run = await runOf(giving(boardDone("k", Card), () => kanban(did)));
  const card = { steps: ["build", "test"] };
  expect(run).toMatchObject({
    output: { done: ["a", "b", "c", "d", "e"].map((item) => ({ item, card })), failed: [] },
  });
  expect(Object.fromEntries(most)).toEqual({ build: 2, test: 1 });
  expect(order.indexOf("test a")).toBeLessThan(order.indexOf("build e"));
});
test("a card that fails stays behind and holds up no other, also on a board within a loop", async () => {
  let rounds = 0;
  const definition = giving(boardDone("k", Card), () => (
    <Loop id="l" max={2} until={false} onExhausted="accept">
      {tell({ id: "count", output: Num }, () => ++rounds)}
      {kanban(
        undefined,
        (item, column) => (item === "b" && column === "build") || (item === "c" && rounds === 1),
      )}
    </Loop>
  ));
  const run = await runOf(definition);
  expect(run).toMatchObject({
    output: {
      done: ["a", "c", "d", "e"].map((item) => ({ item })),
      failed: [{ item: "b", column: "build" }],
    },
  });
});
test("a board that is killed in the middle moves no card twice", async () => {
  const { run, finished } = await withRestartAt(3, (did) => giving(boardDone("k", Card), () => kanban(did)));
  expect(run).toMatchObject({ output: { failed: [] } });
  expect(finished).toHaveLength(10);
  expect(new Set(finished).size).toBe(10);
});

/** Each finding is gone once it was fixed as often as its number says. */
const fixing = (start: readonly number[], onExhausted?: "accept", did?: (what: string) => Promise<void>) => {
  const left = [...start];
  return giving(scanned("s", Num), () => (
    <ScanFixVerify
      id="s"
      max={3}
      {...(onExhausted && { onExhausted })}
      finding={Num}
      scan={({ leaf, round }) =>
        tell(leaf, async () => (await did?.(`scan ${round}`), left.filter((n) => n > 0)))
      }
      fix={({ leaf, finding, round }) =>
        tell(leaf, async () => {
          await did?.(`fix ${finding} ${round}`);
          if (finding === 7) failing();
          left[left.indexOf(finding)] = finding - 1;
          return { note: `${finding}` };
        })
      }
      verify={({ leaf, findings }) =>
        tell(leaf, () => ({ clean: left.every((n) => n <= 0), note: `${findings.length}` }))
      }
    />
  ));
};
test("findings are fixed side by side and scanned again until it is clean; with none at all it is clean at once", async () => {
  expect(await runOf(fixing([1, 2]))).toMatchObject({ output: { is: "clean", rounds: 2, left: [] } });
  expect(await runOf(fixing([]))).toMatchObject({ output: { is: "clean", rounds: 1, left: [] } });
});
test("a fix that fails is found again, and what is left at the end is said", async () => {
  expect(await runOf(fixing([1, 7], "accept"))).toMatchObject({
    outcome: "not met",
    output: { is: "exhausted", rounds: 3, left: [7] },
  });
  expect(await runOf(fixing([7]))).toMatchObject({ status: "failed", outcome: "not met" });
});
test("scanning and fixing that is killed in the middle goes on there", async () => {
  const { run } = await withRestartAt(1, (did) => fixing([1], undefined, did));
  expect(run).toMatchObject({ status: "finished", output: { is: "clean" } });
});

const supervisor = (
  isDone: (results: readonly { readonly result?: string | undefined }[], round: number) => boolean,
  more: { readonly onExhausted?: "accept"; readonly did?: (what: string) => Promise<void> } = {},
) =>
  giving(supervised("s"), () => (
    <Supervisor
      id="s"
      max={2}
      {...(more.onExhausted && { onExhausted: more.onExhausted })}
      plan={({ leaf, feedback }) =>
        tell(leaf, () => ({ tasks: ["x", "y"].map((name) => ({ name, order: `${name}${feedback}` })) }))
      }
      work={({ leaf, task, round }) =>
        tell(leaf, async () => {
          await more.did?.(`${task.name} ${round}`);
          return task.name === "y" && round === 1 ? failing() : { result: task.order };
        })
      }
      judge={({ leaf, results, round }) =>
        tell(leaf, () => ({ done: isDone(results, round), feedback: "!" }))
      }
    />
  ));
test("a supervisor plans, has it done, judges, and plans again with what it said; a worker that failed has no result", async () => {
  const seen: unknown[] = [];
  const run = await runOf(
    supervisor((results) => (seen.push(results), results.every(({ result }) => result !== undefined))),
  );
  expect(run).toMatchObject({
    outcome: "met",
    output: {
      is: "done",
      rounds: 2,
      results: [
        { name: "x", result: "x!" },
        { name: "y", result: "y!" },
      ],
    },
  });
  expect(seen[0]).toEqual([{ name: "x", result: "x" }, { name: "y" }]);
});
test("a supervisor who is never content is exhausted", async () => {
  expect(await runOf(supervisor(() => false))).toMatchObject({ status: "failed", outcome: "not met" });
  expect(await runOf(supervisor(() => false, { onExhausted: "accept" }))).toMatchObject({
    outcome: "not met",
    output: { is: "exhausted", rounds: 2, feedback: "!" },
  });
});
test("supervised work that is killed in the middle is not done twice", async () => {
  const { run, finished } = await withRestartAt(2, (did) =>
    supervisor((_results, round) => round === 2, { did }),
  );
  expect(run).toMatchObject({ output: { is: "done", rounds: 2 } });
  expect(finished.toSorted()).toEqual(["x 1", "x 2", "y 1", "y 2"]);
});
