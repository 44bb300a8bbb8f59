import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { givenEvents, subscribedEvents } from "../../src/webhooks/github-events.ts";

const manifest = z
  .object({
    public: z.boolean(),
    hook_attributes: z.object({ url: z.url(), active: z.boolean() }),
    default_permissions: z.record(z.string(), z.enum(["read", "write"])),
    default_events: z.array(z.string()),
  })
  .parse(parse(readFileSync(new URL("../../app.yml", import.meta.url), "utf8")));

test("the manifest subscribes to exactly the events that are read", () => {
  expect(manifest.default_events.toSorted()).toEqual([...subscribedEvents].toSorted());
  for (const event of givenEvents) expect(manifest.default_events).not.toContain(event);
});

test("it asks for the least permissions, and never for workflows or administration", () => {
  expect(manifest.default_permissions).toEqual({
    metadata: "read",
    contents: "write",
    pull_requests: "write",
    issues: "write",
    checks: "write",
    statuses: "read",
    actions: "write",
    merge_queues: "read",
  });
});

test("it is private, and its webhook ends at our route", () => {
  expect(manifest.public).toBe(false);
  expect(new URL(manifest.hook_attributes.url).pathname).toBe("/webhooks/github");
});
