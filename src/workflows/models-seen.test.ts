import { expect, test } from "vitest";
import { familySeen, namesSeen, sawModel, type ModelsSeen } from "./models-seen.ts";

const nothing = (): ModelsSeen => ({ models: [] });

test("a model of the configuration counts for what its operator vouches, and is on record as such", () => {
  const seen = nothing();
  expect(sawModel(seen, { type: "model", id: "house-1", configured: "mistral" })).toEqual({
    model: "house-1",
    family: "mistral",
    modelBy: "configured",
  });
  expect(familySeen(seen)).toBe("mistral");
  expect(namesSeen(seen)).toEqual(["house-1"]);
});

test("nobody's word for it is nobody's family", () => {
  const seen = nothing();
  sawModel(seen, { type: "model", id: "claude-opus-5-5", configured: "unknown" });
  expect(familySeen(seen)).toBe("unknown");
});

test("what is observed outweighs what was configured, before it and after it", () => {
  const seen = nothing();
  sawModel(seen, { type: "model", id: "house-1", configured: "mistral" });
  expect(sawModel(seen, { type: "model", id: "gpt-5" })).toMatchObject({
    family: "openai",
    modelBy: "observed",
  });
  expect(sawModel(seen, { type: "model", id: "house-1", configured: "mistral" })).toBeUndefined();
  expect(familySeen(seen)).toBe("openai");
  expect(namesSeen(seen)).toEqual(["gpt-5"]);
});

test("models of two makers are nobody's", () => {
  const seen = nothing();
  sawModel(seen, { type: "model", id: "gpt-5" });
  sawModel(seen, { type: "model", id: "qwen3-max" });
  expect(familySeen(seen)).toBe("unknown");
});
