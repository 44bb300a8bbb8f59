import { expect, test } from "vitest";
import { z } from "zod";
import {
  Approval,
  forkRun,
  framesOf,
  givenIn,
  leaf,
  Loop,
  Parallel,
  rehearse,
  Sequence,
  Task,
  Timer,
  Try,
  workflow,
  type AnyWorkflow,
  type Step,
} from "#engine";
import { retryRun } from "../../src/engine/retry.ts";
import { cancelRun } from "../../src/engine/store.ts";
import { changesOf } from "../../src/engine/change.ts";
import { rewindRun } from "../../src/engine/time-travel.ts";
import { keepOrder, ordersOf } from "../../src/engine/orders.ts";
import { all, type Verb } from "../../src/sql.ts";
import { until } from "./world.ts";
import { memoryFiles, openTravel, writing } from "./travel-world.ts";

const Num = z.number();
const simple = (render: AnyWorkflow["render"], result: () => unknown = () => null): AnyWorkflow =>
  workflow({ name: "w", input: z.object({}), output: z.unknown(), render, result });
/** Three tasks that count how often they ran. */
const counting = (ran: string[], more: { readonly effect?: string } = {}) =>
  simple(() => (
    <Sequence>
      {["a", "b", "c"].map((id) => (
        <Task id={id} output={Num} perform={() => ran.push(id)} {...(id === "b" ? more : {})} />
      ))}
    </Sequence>
  ));

test("a run taken back to a frame does again what came after it, under the same keys, and nothing is lost", async () => {
  const keys: string[] = [];
  const perform = (step: Step) => keys.push(`${step.key} ${step.attempt}`);
  const { begin, finish, rewind, sql } = await openTravel(
    simple(() => (
      <Sequence>
        {["a", "b", "c"].map((id) => (
          <Task id={id} output={Num} perform={perform} />
        ))}
      </Sequence>
    )),
  );
  await begin("r");
  await finish("r");
  expect(await rewind("r", { frame: 1 })).toMatchObject({
    is: "done",
    number: 1,
    cut: [{ leaf: "b" }, { leaf: "c" }],
  });
  expect(await finish("r")).toMatchObject({ status: "finished" });
  expect(keys).toEqual(["r/a@ 1", "r/b@ 1", "r/c@ 1", "r/b@ 1", "r/c@ 1"]);
  const frames = await sql.read(() => framesOf("r"));
  expect(frames.map((one) => [one.number, one.leaf, one.output])).toEqual([
    [1, "a", 1],
    [2, "b", 4],
    [3, "c", 5],
  ]);
});

test("taking a rewind back brings the cut rows and the run's end; taking that back too, or an earlier one, works", async () => {
  const { begin, finish, rewind, dump, counted } = await openTravel(counting([]));
  await begin("r");
  await finish("r");
  const whole = await dump("r");
  const first = await counted("r");
  await rewind("r", { frame: 2 });
  await finish("r");
  const second = await counted("r");
  await rewind("r", { frame: 1 });
  expect(await counted("r")).toHaveLength(1);
  expect(await rewind("r", { undo: undefined })).toMatchObject({ is: "done", frame: 3, brought: 2 });
  expect(await counted("r")).toEqual(second);
  expect(await rewind("r", { undo: undefined })).toMatchObject({ is: "done", frame: 1 });
  expect(await counted("r")).toHaveLength(1);
  expect(await rewind("r", { undo: 1 })).toMatchObject({ is: "done", frame: 3 });
  expect(await counted("r")).toEqual(first);
  const after = await dump("r");
  expect(after.run).toEqual(whole.run);
  expect(after.rows.slice(0, 3)).toEqual(whole.rows);
  expect(await rewind("r", { undo: 9 })).toEqual({ is: "unknown change", changes: [1, 2, 3, 4, 5] });
});

test.each([
  ["one that does not exist", "nobody", { frame: 0 }, { is: "unknown run" }],
  ["a frame beyond the last", "r", { frame: 4 }, { is: "unknown frame", last: 3 }],
  ["half a frame", "r", { frame: 0.5 }, { is: "unknown frame", last: 3 }],
  ["a rewind that never was", "r", { undo: undefined }, { is: "unknown change", changes: [] }],
] as const)("rewinding %s is refused and changes nothing", async (_what, run, to, refused) => {
  const { begin, finish, rewind, dump } = await openTravel(counting([]));
  await begin("r");
  await finish("r");
  const before = await dump("r");
  expect(await rewind(run, to)).toEqual(refused);
  expect(await dump("r")).toEqual(before);
});

test("what goes with a rewind is written with it, or neither is", async () => {
  const { begin, finish, dump, counted, sql } = await openTravel(counting([]));
  await begin("r");
  await finish("r");
  const before = await dump("r");
  const line = { what: "rewind", leaf: undefined, attempt: undefined, note: "why", by: "ada", at: 1 };
  const rewindWith = (also: () => Verb<void>) =>
    rewindRun(
      {
        sql,
        now: () => 1_000,
        snapshots: undefined,
        host: "here",
        isDead: () => true,
        sweep: async () => undefined,
      },
      { run: "r", to: { frame: 1 }, by: "ada", left: "accept", also },
    );
  const dies = rewindWith(function* (): Verb<void> {
    yield* keepOrder("r", line);
    throw new Error("the disk is full");
  });
  await expect(dies).rejects.toThrow("the disk is full");
  expect(await dump("r")).toEqual(before);
  expect(await sql.read(() => ordersOf("r", 10))).toEqual([]);
  expect(await rewindWith(() => keepOrder("r", line))).toMatchObject({ is: "done", frame: 1 });
  expect(await counted("r")).toHaveLength(1);
  expect(await sql.read(() => ordersOf("r", 10))).toEqual([line]);
});

test("a run that a living process has is not rewound", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const begun = Promise.withResolvers<null>();
  const { begin, engine, sql, rewind, dump, untilLeft } = await openTravel(
    simple(() => <Task id="a" output={Num} perform={async () => (begun.resolve(null), await promise)} />),
  );
  await begin("r");
  const gone = untilLeft();
  engine.poke();
  await begun.promise;
  const before = await dump("r");
  const whileAlive = () =>
    rewindRun(
      {
        sql,
        now: () => 1_000,
        snapshots: undefined,
        host: "here",
        isDead: () => false,
        sweep: async () => undefined,
      },
      { run: "r", to: { frame: 0 }, by: "ada", left: "accept" },
    );
  const refused = { is: "at work", owner: { pid: 1, startedAt: "now", host: "here" } };
  expect(await whileAlive()).toEqual(refused);
  expect(await dump("r")).toEqual(before);
  // Cancelled, but what it had at work has not ended yet.
  await sql.commit(() => cancelRun("r", 1_000));
  expect(await whileAlive()).toEqual(refused);
  // Its process died: what it had at work is lost, and it may be rewound.
  expect(await rewind("r", { frame: 1 })).toMatchObject({ is: "done" });
  expect((await dump("r")).rows).toMatchObject([{ status: "lost", cut: 0 }]);
  resolve(1);
  await gone;
});

test("an effect that would not be undone is listed, and crossed only when that is accepted", async () => {
  const ran: string[] = [];
  const { begin, finish, rewind, dump, counted } = await openTravel(
    counting(ran, { effect: "publishes the package" }),
  );
  await begin("r");
  await finish("r");
  const before = await dump("r");
  expect(await rewind("r", { frame: 1 })).toMatchObject({
    is: "left",
    effects: [{ leaf: "b", effect: "publishes the package" }],
  });
  expect(await dump("r")).toEqual(before);
  expect(await rewind("r", { frame: 2 })).toMatchObject({ is: "done" });
  expect(await rewind("r", { frame: 1 }, "accept")).toMatchObject({ is: "done" });
  await finish("r");
  expect(ran).toEqual(["a", "b", "c", "b", "c"]);
  expect(await rewind("r", { undo: 2 })).toMatchObject({ is: "left", effects: [{ leaf: "b" }] });
  expect(await counted("r")).toHaveLength(3);
});

test("an approval beyond the frame is asked again, one before it stands, and a timer rings again", async () => {
  const { begin, finish, rewind, engine, counted } = await openTravel(
    simple(() => (
      <Sequence>
        <Approval id="first" ask="?" />
        <Timer id="pause" afterMs={5_000} />
        <Approval id="second" ask="?" />
      </Sequence>
    )),
  );
  await begin("r");
  await finish("r");
  const whole = await counted("r");
  await rewind("r", { frame: 1 });
  expect((await engine.attempts("r")).map((one) => one.leaf)).toEqual(["first"]);
  expect(await finish("r")).toMatchObject({ status: "finished" });
  expect(await counted("r")).toEqual(whole);
});

/** Two agents, each writing in its folder what it did. */
const writers = (files: ReturnType<typeof memoryFiles>) =>
  simple(() => (
    <Sequence>
      {["one", "two"].map((id) =>
        writing((<Task id={id} output={Num} perform={() => 0} />) as never, ({ folder }) => {
          files.at(folder).set(id, `by ${id}`);
          files.at(folder).set("last", id);
          return 1;
        }),
      )}
    </Sequence>
  ));

test("files go with the rows, from before the first task that writes to after the last, and come back", async () => {
  const files = memoryFiles();
  files.at("/work").set("mine", "from before");
  const { begin, finish, rewind, sql } = await openTravel(writers(files), files);
  await begin("r");
  await finish("r");
  const end = { mine: "from before", one: "by one", two: "by two", last: "two" };
  expect(files.shown("/work")).toEqual(end);
  files.at("/work").set("late", "by a person");
  expect(await rewind("r", { frame: 1 })).toMatchObject({ files: [{ folder: "/work" }] });
  expect(files.shown("/work")).toEqual({ mine: "from before", one: "by one", last: "one" });
  await rewind("r", { frame: 0 });
  expect(files.shown("/work")).toEqual({ mine: "from before" });
  await rewind("r", { undo: 1 });
  expect(files.shown("/work")).toEqual({ ...end, late: "by a person" });
  expect((await sql.read(() => changesOf("r"))).map(({ frame, undoes }) => [frame, undoes])).toEqual([
    [1, undefined],
    [0, undefined],
    [2, 1],
  ]);
  expect([...files.refs.keys()].every((ref) => ref.startsWith("refs/forgehand/r-rs/"))).toBe(true);
});

test("a folder that has gone is said before anything changes, and left out when that is accepted", async () => {
  const files = memoryFiles();
  const { begin, finish, rewind, dump } = await openTravel(writers(files), files);
  await begin("r");
  await finish("r");
  const before = await dump("r");
  files.gone.add("/work");
  expect(await rewind("r", { frame: 1 })).toEqual({
    is: "left",
    effects: [],
    files: [{ folder: "/work", why: "/work is gone" }],
  });
  expect(await dump("r")).toEqual(before);
  expect(await rewind("r", { frame: 1 }, "accept")).toMatchObject({
    is: "done",
    files: [],
    left: [{ folder: "/work" }],
  });
});

test("a snapshot that cannot be made loses no work and is said in the transcript", async () => {
  const files = memoryFiles();
  const { begin, finish, sql, engine, turn } = await openTravel(writers(files), files);
  files.gone.add("/work");
  await begin("r");
  expect(await finish("r")).toMatchObject({ status: "finished" });
  expect((await engine.attempts("r")).map(({ snapshot }) => snapshot)).toEqual([undefined, undefined]);
  turn(2_000);
  const said = () => sql.read(() => all("select text from said where kind = 'output'"));
  await until(async () => (await said()).length > 0);
  expect(await said()).toContainEqual({ text: "the files in /work could not be kept: /work is gone" });
});

test("killed at any point of a rewind, the run is held or as it was, and saying it again or taking it back ends well", async () => {
  let countdown = Infinity;
  let points = 0;
  const mayDie = (): void => {
    points += 1;
    if ((countdown -= 1) < 0) throw new Error("killed");
  };
  for (let at = 0; ; at += 1) {
    for (const then of ["again", "undo", "elsewhere"] as const) {
      const files = memoryFiles(() => mayDie());
      countdown = Infinity;
      const world = await openTravel(writers(files), files);
      const { begin, finish, rewind, dump, sql, engine } = world;
      await begin("r");
      await finish("r");
      const whole = { ...(await dump("r")), files: files.shown("/work") };
      const dying = {
        ...sql,
        commit: async (verb: never) => {
          mayDie();
          const done = await sql.commit(verb);
          mayDie();
          return done;
        },
      } as typeof sql;
      points = 0;
      countdown = at;
      const first = await rewind("r", { frame: 1 }, "refuse", dying).catch((error: Error) => error);
      countdown = Infinity;
      // Who dies while keeping files has changed nothing yet, which is how a failure to keep them ends too.
      const isDead = first instanceof Error || first.is === "left";
      if (!isDead && then === "again") {
        expect(points).toBe(at);
        expect(at).toBeGreaterThan(8);
        return;
      }
      if (!isDead) break;
      const held = await dump("r");
      if (
        JSON.stringify(files.shown("/work")) !== JSON.stringify(whole.files) &&
        held.rows.every((row) => (row as { cut: number }).cut === 0)
      )
        // Files are half of each: nobody may take the run.
        expect(held.run).toMatchObject([
          { status: "cancelled", error: expect.stringContaining("cut short") },
        ]);
      const isHeld = (await sql.read(() => changesOf("r"))).at(-1)?.doneAt === undefined;
      const isBegun = (await sql.read(() => changesOf("r"))).length > 0;
      if (then === "undo" && isBegun) {
        expect(await rewind("r", { undo: undefined })).toMatchObject({ is: "done", frame: 2 });
        expect({ ...(await dump("r")), files: files.shown("/work") }).toEqual(whole);
        continue;
      }
      const frame = then === "elsewhere" ? 0 : 1;
      expect(await rewind("r", { frame })).toMatchObject({ is: "done", number: isBegun && !isHeld ? 2 : 1 });
      expect(files.shown("/work")).toEqual(frame === 0 ? {} : { one: "by one", last: "one" });
      expect(await finish("r")).toMatchObject({ status: "finished" });
      expect(files.shown("/work")).toEqual(whole.files);
      await rewind("r", { undo: 1 });
      expect(files.shown("/work")).toEqual(whole.files);
      expect((await dump("r")).rows.slice(0, 2)).toEqual(whole.rows);
      await engine.down(0);
    }
  }
});

const test1 = leaf("test", z.object({ green: z.boolean() }));
test("a fork goes on from a frame with another input and does a leaf again, and leaves its parent as it is", async () => {
  const ran: string[] = [];
  const definition = workflow({
    name: "w",
    input: z.object({ to: z.number().default(1) }),
    output: z.number(),
    render: ({ input }) => (
      <Sequence>
        <Task id="a" output={Num} perform={() => (ran.push("a"), input.to)} />
        <Parallel>
          <Task id="b" output={Num} perform={() => (ran.push("b"), input.to)} />
          <Task id="x" output={Num} perform={() => (ran.push("x"), input.to)} />
        </Parallel>
        <Task id="c" output={Num} perform={() => (ran.push("c"), input.to)} />
      </Sequence>
    ),
    result: (context) => (context.latest("a", Num) ?? 0) * 10 + (context.latest("c", Num) ?? 0),
  });
  const { begin, finish, dump, sql, rewind } = await openTravel(definition);
  await begin("r");
  await finish("r");
  const before = await dump("r");
  const fork = (as: string, more: object = {}) =>
    sql.commit(() =>
      forkRun({
        run: "r",
        as,
        frame: undefined,
        input: undefined,
        reset: undefined,
        folder: undefined,
        how: "fork",
        clashes: "refuse",
        at: 5_000,
        ...more,
      }),
    );
  ran.length = 0;
  await fork("f1", { frame: 1, input: { value: { to: 2 } } });
  expect(await finish("f1")).toMatchObject({ output: 12, parent: "r", frame: 1 });
  expect(ran.splice(0).toSorted()).toEqual(["b", "c", "x"]);
  await fork("f2", { reset: "b", input: { value: { to: 3 } } });
  expect(await finish("f2")).toMatchObject({ output: 13 });
  expect(ran.splice(0)).toEqual(["b", "c"]);
  await fork("f3", { reset: "a" });
  await finish("f3");
  expect(ran.splice(0).toSorted()).toEqual(["a", "b", "c", "x"]);
  expect(await fork("f4", { reset: "nobody" })).toEqual({
    is: "unknown leaf",
    leaves: ["a", "b", "x", "c"],
  });
  expect(await fork("f1")).toEqual({ is: "taken" });
  expect(await fork("f4", { frame: 5 })).toEqual({ is: "unknown frame", last: 4 });
  expect(await dump("r")).toEqual(before);
  // A fork's rows are its own: it may be rewound, and forked again with what its rows know of each other.
  await rewind("f2", { frame: 1 });
  expect(await dump("r")).toEqual(before);
  await finish("f2");
  await sql.commit(() =>
    forkRun({
      run: "f1",
      as: "g1",
      frame: undefined,
      input: undefined,
      reset: "b",
      folder: undefined,
      how: "fork",
      clashes: "refuse",
      at: 6_000,
    }),
  );
  ran.length = 0;
  await finish("g1");
  expect(ran).toEqual(["b", "c"]);
});

test("a fork and a replay that would do an effect again are refused with it", async () => {
  const { begin, finish, sql } = await openTravel(counting([], { effect: "publishes the package" }));
  await begin("r");
  await finish("r");
  const order = {
    run: "r",
    as: "f",
    frame: 1,
    input: undefined,
    reset: undefined,
    folder: undefined,
    clashes: "refuse",
    at: 1,
  } as const;
  for (const how of ["fork", "replay"] as const) {
    expect(await sql.commit(() => forkRun({ ...order, how }))).toMatchObject({
      is: "clash",
      effects: [{ leaf: "b" }],
    });
    expect(await sql.commit(() => forkRun({ ...order, how, as: how, frame: 2 }))).toMatchObject({
      is: "done",
    });
  }
  expect(await sql.commit(() => forkRun({ ...order, how: "fork", clashes: "accept" }))).toMatchObject({
    is: "done",
  });
});

test("a failure that a run lived through is kept by a fork, the one it died of is done again", async () => {
  let isBroken = true;
  const fails = (step: Step): number => {
    if (isBroken) throw Object.assign(new Error(`${step.leaf} broke`), { permanent: true });
    return 1;
  };
  const definition = simple(() => (
    <Sequence>
      <Try catch={<Task id="mend" output={Num} perform={() => 1} />}>
        <Task id="caught" output={Num} perform={fails} />
      </Try>
      <Parallel>
        <Task id="fatal" output={Num} perform={fails} />
        <Task id="beside" output={Num} perform={() => 1} />
      </Parallel>
    </Sequence>
  ));
  const { begin, finish, sql, counted } = await openTravel(definition);
  await begin("r");
  expect(await finish("r")).toMatchObject({ status: "failed" });
  isBroken = false;
  for (const how of ["fork", "replay"] as const) {
    await sql.commit(() =>
      forkRun({
        run: "r",
        as: how,
        frame: undefined,
        input: undefined,
        reset: undefined,
        folder: undefined,
        how,
        clashes: "refuse",
        at: 1,
      }),
    );
    expect(await finish(how)).toMatchObject({ status: "finished" });
    expect(await counted(how)).toEqual(["beside@ 1", "fatal@ 1", "mend@ 1"]);
  }
});

test("a rehearsal says for each leaf what an edited workflow would do with what a run gave", async () => {
  const loops = (body: (ran: string[]) => AnyWorkflow) => body([]);
  const original = loops((ran) =>
    simple(() => (
      <Sequence>
        <Task id="kept" output={Num} perform={() => ran.push("kept")} />
        <Task id="reshaped" output={Num} perform={() => 1} />
        <Loop id="l" max={2} until={false} onExhausted="accept">
          <Task {...test1} perform={() => ({ green: true })} />
        </Loop>
        <Task id="dropped" output={Num} perform={() => 1} />
        <Approval id="ok" ask="?" />
      </Sequence>
    )),
  );
  const { begin, finish, sql, dump } = await openTravel(original);
  await begin("r");
  await finish("r");
  const before = await dump("r");
  const given = givenIn(await sql.read(() => framesOf("r")));
  const row = { id: "r", input: {} };
  expect(rehearse(original, row, given, 9_000)).toMatchObject({
    is: "done",
    outcome: "not met",
    output: null,
  });
  const edited = simple(() => (
    <Sequence>
      <Task id="kept" output={Num} perform={() => 1} />
      <Parallel>
        <Task id="reshaped" output={z.string()} perform={() => "x"} effect="writes a page" />
        <Task id="added" output={Num} perform={() => 1} />
      </Parallel>
      <Loop id="l" max={1} until={true}>
        <Task {...test1} perform={() => ({ green: true })} />
      </Loop>
      <Approval id="ok" ask="?" />
    </Sequence>
  ));
  const { leaves, is } = rehearse(edited, row, given, 9_000);
  expect(is).toBe("open");
  expect(leaves.map((one) => `${one.leaf}@${one.iteration} ${one.is} ${one.effect ?? ""}`.trim())).toEqual([
    "kept@ same",
    "reshaped@ again writes a page",
    "added@ new",
    "test@0 later",
    "test@1 later",
    "dropped@ gone",
    "ok@ later",
  ]);
  expect(await dump("r")).toEqual(before);
});

test("a failure that was tried again after a rewind comes back with what that cut", async () => {
  let isBroken = true;
  const { begin, finish, rewind, dump, counted, sql } = await openTravel(
    simple(() => (
      <Sequence>
        <Task id="a" output={Num} perform={() => 1} />
        <Task
          id="b"
          output={Num}
          perform={() => {
            if (isBroken) throw Object.assign(new Error("no"), { permanent: true });
            return 2;
          }}
        />
      </Sequence>
    )),
  );
  await begin("r");
  await finish("r");
  const whole = await dump("r");
  await rewind("r", { frame: 2 });
  expect(await finish("r")).toMatchObject({ status: "failed" });
  isBroken = false;
  await sql.commit(() => retryRun("r", undefined, 2_000));
  expect(await finish("r")).toMatchObject({ status: "finished" });
  const mended = await counted("r");
  await rewind("r", { undo: 1 });
  expect((await dump("r")).run).toEqual(whole.run);
  expect((await dump("r")).rows.filter((row) => (row as { cut: number }).cut === 0)).toEqual(whole.rows);
  await rewind("r", { undo: undefined });
  expect(await counted("r")).toEqual(mended);
  await rewind("r", { frame: 1 });
  expect(await finish("r")).toMatchObject({ status: "finished" });
});

test("a run that was cancelled goes on from a frame", async () => {
  const ran: string[] = [];
  const { begin, finish, rewind, sql } = await openTravel(counting(ran));
  await begin("r");
  await sql.commit(() => cancelRun("r", 1));
  expect(await rewind("r", { frame: 0 })).toMatchObject({ is: "done" });
  expect(await finish("r")).toMatchObject({ status: "finished" });
  expect(ran).toEqual(["a", "b", "c"]);
});
