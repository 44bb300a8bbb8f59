import { describe, expect, test } from "vitest";
import { defaultLabelNames, labelNames, labels } from "./labels.ts";

describe("the label vocabulary", () => {
  test.each(labelNames)("%s fits what GitHub accepts", (name) => {
    const label = labels[name];
    expect(name.length).toBeLessThanOrEqual(50);
    expect(label.color).toMatch(/^[0-9a-f]{6}$/u);
    expect(label.description.length).toBeLessThanOrEqual(100);
    expect(label.description.length).toBeGreaterThan(0);
  });
  test("whatever leads to a merge or a loss takes write", () => {
    expect(labels["auto-merge"].setBy).toBe("write");
    expect(labels["forgehand:hard-reset"].setBy).toBe("write");
    expect(labels["forgehand:halt-all"].removedBy).toBe("write");
  });
  test("every label is called by its own name unless a repository renames it", () => {
    expect(Object.entries(defaultLabelNames).every(([name, used]) => name === used)).toBe(true);
  });
});
