import { expect, test } from "vitest";
import { readLocal } from "./read-local.ts";

const repo = { id: 7, owner: "local", name: "shop", defaultBranch: "main" };

test("news of a ticket's file is a hint about that ticket, by whoever works here", () => {
  const news = [{ type: "labelled", label: "agent-ready", spec: "s" }];
  const [heard, ...more] = readLocal({ body: JSON.stringify({ repo, by: "ada", ticket: 3, news }) });
  expect(more).toEqual([]);
  expect(heard).toEqual({
    repo: { ...repo, installation: 0, private: true },
    target: { issue: 3 },
    sender: { login: "ada", id: 0, kind: "person" },
    says: news[0],
  });
});

test("news of a branch is about its pull request, and of the base about the whole repository", () => {
  const head = "a".repeat(40);
  const pull = { repo, by: "ada", pull: 4, news: [{ type: "pull.moved", head }] };
  expect(readLocal({ body: JSON.stringify(pull) })[0]?.target).toEqual({ pull: 4 });
  const closed = { repo, by: "ada", pull: 4, news: [{ type: "pull.closed" }] };
  expect(readLocal({ body: JSON.stringify(closed) })[0]?.says).toEqual({
    type: "pull.closed",
    merge: undefined,
  });
  const base = { repo, by: "ada", news: [{ type: "config.changed", at: head }] };
  expect(readLocal({ body: JSON.stringify(base) })[0]?.target).toEqual({ repo: "whole" });
});

test.each(["", "{", "[]", JSON.stringify({ repo, by: "ada", news: [{ type: "human.approved" }] })])(
  "%s hints at nothing",
  (body) => {
    expect(readLocal({ body })).toEqual([]);
  },
);
