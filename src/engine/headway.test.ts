import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { measureAfter, nudge, signIn, watchCalls, type ToolCall } from "./headway.ts";

const limits = { repeats: 4 };
/** `aab`: each letter a call of its own. */
const calls = (letters: string): readonly ToolCall[] =>
  [...letters].map((letter) => ({ name: "Bash", detail: letter }));

describe("what a row of tool calls is a sign of", () => {
  test.each([
    ["", undefined],
    ["a", undefined],
    ["aaa", undefined],
    ["aaaa", "repeats"],
    ["bcdeaaaa", "repeats"],
    ["aaab", undefined],
    ["aaabaaa", undefined],
    ["ababababab", undefined],
    ["abababababab", "cycles"],
    ["abcabcabcabc", "cycles"],
    ["aabbccaabbcc", "cycles"],
    ["abcdabcdabcdabcd", undefined],
    ["dabcabcabcabc", "cycles"],
    ["abcabcabcabd", undefined],
  ])("%j: %s", (letters, is) => {
    expect(signIn(calls(letters), limits)?.is).toBe(is);
  });

  test("the same tool used for something else is another call", () => {
    const same = [1, 2, 3, 4].map((line) => ({ name: "Read", detail: `a.ts:${line}` }));
    expect(signIn(same, limits)).toBeUndefined();
  });

  test("the name and the detail of a call cannot be mixed up", () => {
    const mixed = [
      { name: "a", detail: "b c" },
      { name: "a b", detail: "c" },
    ];
    expect(signIn([...mixed, ...mixed], { repeats: 2 })).toBeUndefined();
  });

  test("the reason names what was called, on one line and without its own code marks", () => {
    const long = { name: "Bash", detail: `echo \`x\`\n${"y".repeat(500)}` };
    const why = signIn([long, long], { repeats: 2 })?.why ?? "";
    expect(why).toContain("`Bash echo 'x' y");
    expect(why).not.toContain("\n");
    expect(why.length).toBeLessThan(250);
  });
});

const someCalls = fc.array(fc.constantFrom(..."abcdef"), { maxLength: 80 }).map((all) => all.join(""));

describe("however an agent works", () => {
  test("a watch says of each call what all calls so far say", () => {
    fc.assert(
      fc.property(someCalls, fc.integer({ min: 2, max: 6 }), (letters, repeats) => {
        const watch = watchCalls({ repeats });
        for (const [index, call] of calls(letters).entries())
          expect(watch.see(call)).toEqual(signIn(calls(letters.slice(0, index + 1)), { repeats }));
      }),
    );
  });

  test("who never does a thing twice among its last calls gives no sign", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 0, max: 60 }), (repeats, length) => {
        const all = Array.from({ length }, (_, index) => ({ name: "Bash", detail: `${index}` }));
        expect(signIn(all, { repeats })).toBeUndefined();
      }),
    );
  });

  test("whoever goes round among three calls is found out", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(..."abc"), { minLength: 12, maxLength: 60 }), (letters) => {
        expect(signIn(calls(letters.join("")), limits)).toBeDefined();
      }),
    );
  });

  test("after files changed, a sign takes as many calls again", () => {
    fc.assert(
      fc.property(someCalls, (letters) => {
        const watch = watchCalls(limits);
        for (const call of calls(letters)) watch.see(call);
        watch.forget();
        for (const call of calls("aaa")) expect(watch.see(call)).toBeUndefined();
        expect(watch.see({ name: "Bash", detail: "a" })?.is).toBe("repeats");
      }),
    );
  });
});

test("the ladder: told, begun once more, given up, and never anything else", () => {
  expect([0, 1, 2, 3, 100].map(measureAfter)).toEqual(["nudge", "resume", "give up", "give up", "give up"]);
});

test("a nudge tells what was noticed and what to do instead", () => {
  const text = nudge({ is: "repeats", why: "it called `Bash ls` 10 times in a row" });
  expect(text).toContain("it called `Bash ls` 10 times in a row, and no file changed by it");
  expect(text).toContain("take another way");
});
