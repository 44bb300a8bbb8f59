/** Numbers that would let a run wait for ever, refused where they are written. */
import { expect, test } from "vitest";
import { z } from "zod";
import { Approval, Choose, ForEach, Parallel, Task, Timer } from "#engine";

const Num = z.number();

test("nothing may be done side by side by nobody", () => {
  for (const max of [0, -1, Number.NaN, 1.5]) {
    expect(() => <Parallel max={max} />).toThrow(/max/u);
    expect(() => (
      <ForEach items={["a", "b"]} max={max}>
        {(item) => <Task id={item} output={Num} value={1} />}
      </ForEach>
    )).toThrow(/max/u);
  }
});

test("time that is no number, or more than a timer can hold, is refused", () => {
  expect(() => <Timer id="t" afterMs={Number.NaN} />).toThrow(/"t".*afterMs/u);
  expect(() => <Timer id="t" afterMs={Infinity} />).toThrow(/"t".*afterMs/u);
  expect(() => <Approval id="a" ask="?" autoAfterMs={Number.NaN} />).toThrow(/"a".*autoAfterMs/u);
  for (const timeoutMs of [Number.NaN, 0, -1, 2 ** 31])
    expect(() => <Task id="t" output={Num} value={1} timeoutMs={timeoutMs} />).toThrow(/"t".*timeoutMs/u);
});

test("retries are a number of times", () => {
  for (const retries of [Number.NaN, -1, 0.5])
    expect(() => <Task id="t" output={Num} value={1} retries={retries} />).toThrow(/"t".*retries/u);
});

test("a choice needs something to choose, and an automatic one is among it", () => {
  expect(() => <Choose id="c" ask="?" options={[]} />).toThrow(/"c".*option/u);
  expect(() => <Choose id="c" ask="?" options={["a"]} auto={{ afterMs: 1, choice: "b" }} />).toThrow(
    /"c".*"b"/u,
  );
});
