import { describe, expect, test } from "vitest";
import { chooseReviewers, familyNamed, type Family } from "./pairing.ts";

const candidates = [
  { name: "claude-code", family: "anthropic" },
  { name: "codex", family: "openai" },
  { name: "gemini", family: "google" },
  { name: "odd", family: "unknown" },
] as const;

const familiesIn = (names: string): readonly Family[] =>
  names === "nobody" ? [] : names.split("+").map(familyNamed);

describe("those who may review", () => {
  test.each([
    ["everybody of another family, as configured", "anthropic", undefined, [], ["codex", "gemini"]],
    [
      "a fallback without a fixed reviewer changes nothing",
      "anthropic",
      undefined,
      ["gemini"],
      ["codex", "gemini"],
    ],
    ["the fixed one, and who stands in for it", "anthropic", "codex", ["gemini"], ["codex", "gemini"]],
    ["nobody of the builder's family stands in", "anthropic", "codex", ["claude-code"], ["codex"]],
    [
      "a fixed one of the builder's family leaves it to who stands in",
      "openai",
      "codex",
      ["gemini"],
      ["gemini"],
    ],
    ["nobody of an unknown family stands in", "openai", "gemini", ["odd", "nobody"], ["gemini"]],
    ["neither of two builders' families", "anthropic+openai", undefined, [], ["gemini"]],
    ["a fixed one of unknown family stays first", "anthropic", "odd", ["gemini"], ["odd", "gemini"]],
    ["each once", "openai", "gemini", ["gemini"], ["gemini"]],
  ] as const)("%s", (_, builder, fixed, fallback, runtimes) => {
    expect(
      chooseReviewers({
        builders: familiesIn(builder),
        fixed,
        fallback,
        candidates,
      }),
    ).toEqual({ is: "chosen", runtimes });
  });
  test.each([
    ["an unknown builder", "unknown", undefined, ["gemini"], "nobody saw which model built"],
    ["nobody seen", "nobody", undefined, ["gemini"], "nobody saw which model built"],
    ["every family at work", "anthropic+openai+google", undefined, [], "anthropic and openai and google"],
    ["a fixed one of the builder's family, and nobody else", "openai", "codex", [], "runs openai models"],
    ["a fixed one that is not here", "openai", "nobody", [], "is not configured"],
  ] as const)("%s is blocked, with the reason", (_, builder, fixed, fallback, why) => {
    const chosen = chooseReviewers({
      builders: familiesIn(builder),
      fixed,
      fallback,
      candidates,
    });
    expect(chosen.is).toBe("blocked");
    expect("why" in chosen && chosen.why).toContain(why);
  });
});
