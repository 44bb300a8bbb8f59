import { expect, test } from "vitest";
import { z } from "zod";
import {
  leaf,
  saidIn,
  Sequence,
  ShellOutput,
  Task,
  type Node,
  type ShellOrder,
  type ShellResult,
} from "#engine";
import { hostOf } from "./actors.ts";
import { open, simple, until } from "./world.ts";

const check = leaf("test", ShellOutput);
const at = async (
  shell: (order: ShellOrder, signal: AbortSignal) => Partial<ShellResult>,
  render: () => Node,
) => await open(simple(render), undefined, undefined, { host: hostOf([], shell) });

test("a command's exit code and output are its task's output, secrets removed", async () => {
  const orders: ShellOrder[] = [];
  const world = await at(
    (order) => (orders.push(order), { stdout: "key hunter2\n", stderr: "careful\n" }),
    () => <Task {...check} command="npm test" timeoutMs={5_000} />,
  );
  await world.start();
  expect((await world.engine.attempts("r"))[0]?.output).toEqual({
    exit: 0,
    stdout: "key [removed]\n",
    stderr: "careful\n",
  });
  expect(orders).toEqual([{ command: "npm test", folder: "/nowhere", run: "r", timeoutMs: 5_000 }]);
  const [spoken] = await world.sql.read(() => saidIn("r"));
  expect(spoken?.lines.map(({ text }) => text)).toEqual(["npm test", "key [removed]\n", "careful\n"]);
  expect(spoken?.agent).toBeUndefined();
});

test.each([
  [
    { exit: 2, stdout: "1 failed\n", stderr: "hunter2" },
    "`npm test` ended with exit code 2:\n1 failed\n[removed]",
  ],
  [{ exit: 1 }, "`npm test` ended with exit code 1; it wrote nothing"],
  [{ exit: undefined, stdout: "half" }, "`npm test` was ended by a signal:\nhalf"],
  [
    { exit: undefined, timedOut: true, stdout: "at 3 of 9" },
    "`npm test` took longer than the 50000 ms it may:\nat 3 of 9",
  ],
])("%j fails the task, which says so with the end of the output", async (ended, error) => {
  const world = await at(
    () => ended,
    () => <Task id="test" command="npm test" timeoutMs={50_000} retries={0} />,
  );
  expect(await world.start()).toMatchObject({ status: "failed" });
  expect((await world.engine.attempts("r"))[0]?.error).toBe(error);
});

test("only the end of a long output is in the error", async () => {
  const stdout = `${"x".repeat(100_000)}the end`;
  const world = await at(
    () => ({ exit: 1, stdout }),
    () => <Task id="test" command="npm test" retries={0} />,
  );
  await world.start();
  const error = (await world.engine.attempts("r"))[0]?.error ?? "";
  expect(error).toMatch(/xthe end$/);
  expect(error.length).toBeLessThan(2_200);
});

test("an exit code that is accepted is data", async () => {
  const world = await at(
    () => ({ exit: 7 }),
    () => <Task id="test" output={z.object({ exit: z.number() })} command="grep x y" onExit="accept" />,
  );
  expect(await world.start()).toMatchObject({ status: "finished" });
  expect((await world.engine.attempts("r"))[0]?.output).toEqual({ exit: 7 });
});

test("a failed command is tried again as often as its retries say, and a value is simply there", async () => {
  let tries = 0;
  const world = await at(
    () => ({ exit: ++tries === 1 ? 1 : 0 }),
    () => (
      <Sequence>
        <Task {...check} command="npm test" />
        <Task id="known" output={z.number()} value={3} />
      </Sequence>
    ),
  );
  await world.start();
  world.clock.turn(10_000);
  await until(async () => (await world.engine.run("r"))?.status === "finished");
  expect(await world.statuses()).toEqual(["test failed", "test finished", "known finished"]);
});

test("a task that asks for a machine where there is none fails at once and says so", async () => {
  const world = await open(simple(() => <Task id="test" command="npm test" />));
  expect(await world.start()).toMatchObject({ status: "failed" });
  expect((await world.engine.attempts("r"))[0]?.error).toContain("opened without a host");
});

test("what is no task of one kind does not compile", () => {
  const text = z.string();
  const wrong = [
    // @ts-expect-error both a command and a function
    () => <Task id="a" command="x" perform={() => ({ exit: 0, stdout: "", stderr: "" })} />,
    // @ts-expect-error an agent without a prompt
    () => <Task id="a" output={text} agent="ada" />,
    // @ts-expect-error a value of another shape
    () => <Task id="a" output={text} value={3} />,
    // @ts-expect-error an output of another shape
    () => <Task id="a" output={text} perform={() => 3} />,
    // @ts-expect-error a command gives an exit code and text
    () => <Task id="a" output={text} command="x" />,
  ];
  expect(wrong).toHaveLength(5);
});
