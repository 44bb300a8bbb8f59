import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { personOn } from "../../../src/simulator/linear/people.ts";
import type { SimDelivery } from "../../../src/simulator/linear/courier.ts";
import { everyScope, stand, type Json, type Stand } from "./stand.ts";

let s: Stand;
beforeEach(async () => (s = await stand()));
afterEach(() => s.close());

const minuteMs = 60_000;

describe("a webhook tells", () => {
  it("of an issue, by whom, and what it was before", async () => {
    const issue = s.ada.open(s.eng, "Told", { priority: 1 });
    const before = new Date(s.clock.now()).toISOString();
    await s.clock.advance(1_000);
    s.bob.drag(issue, "In Progress");
    const [created, updated] = await s.heard();
    expect(created).toMatchObject({
      event: "Issue",
      payload: {
        action: "create",
        type: "Issue",
        organizationId: s.acme.id,
        webhookId: s.app.webhook.id,
        actor: { name: "Ada", type: "user" },
        url: "https://linear.app/acme/issue/ENG-1/told",
        data: {
          identifier: "ENG-1",
          priority: 1,
          priorityLabel: "Urgent",
          team: { key: "ENG" },
          state: { type: "backlog" },
        },
      },
    });
    expect(updated?.payload).toMatchObject({
      action: "update",
      actor: { name: "Bob", id: s.bob.user.id },
      data: {
        state: { name: "In Progress" },
        stateId: issue.state.id,
        startedAt: new Date(s.clock.now()).toISOString(),
      },
      updatedFrom: { stateId: s.linear.state(s.eng, "Backlog").id, startedAt: null, updatedAt: before },
    });
    expect(created?.id).not.toBe(updated?.id);
  });

  it("of every kind that is listened to", async () => {
    const { ada } = s;
    const issue = ada.open(s.eng, "All");
    const comment = ada.comment(issue, "one");
    ada.editComment(comment, "two");
    ada.react(comment, "eyes");
    ada.label(issue, "fresh");
    ada.unlabel(issue, "fresh");
    ada.deleteLabel("fresh");
    ada.deleteComment(comment);
    ada.archive(issue);
    ada.unarchive(issue);
    ada.delete(issue);
    expect(await s.names()).toEqual([
      "Issue.create",
      "Comment.create",
      "Comment.update",
      "Reaction.create",
      "IssueLabel.create",
      "Issue.update",
      "Issue.update",
      "IssueLabel.remove",
      "Comment.remove",
      "Issue.update",
      "Issue.update",
      "Issue.remove",
    ]);
    const [, edited] = (await s.heard()).filter(({ event }) => event === "Comment");
    expect(edited?.payload).toMatchObject({
      data: { body: "two", issue: { identifier: "ENG-1" } },
      updatedFrom: { body: "one" },
    });
  });

  it("of the app's own deeds too, as done by its user", async () => {
    await s.client.createIssue({ teamId: s.eng.id, title: "Mine" });
    const [created] = await s.heard();
    expect(created?.payload["actor"]).toMatchObject({
      id: s.install.user.id,
      name: "Forgehand",
      type: "user",
    });
  });

  it("of access that was given or taken", async () => {
    const secret = s.linear.team(s.acme, { key: "SEC", private: true });
    s.ada.open(secret, "Hidden");
    s.ada.changeAccess(s.app, { add: [secret] });
    s.ada.open(secret, "Seen");
    s.ada.changeAccess(s.app, { remove: [s.eng] });
    s.ada.open(s.eng, "Hidden too");
    const heard = (await s.heard()).map(({ payload }) => payload);
    expect(heard.map(({ type, action }) => `${type}.${action}`)).toEqual([
      "PermissionChange.teamAccessChanged",
      "Issue.create",
      "PermissionChange.teamAccessChanged",
    ]);
    expect(heard[0]).toMatchObject({
      addedTeamIds: [secret.id],
      removedTeamIds: [],
      canAccessAllPublicTeams: true,
      appUserId: s.install.user.id,
    });
    expect(heard[2]).toMatchObject({
      addedTeamIds: [],
      removedTeamIds: [s.eng.id],
      canAccessAllPublicTeams: false,
    });
  });

  it("of each workspace the app is in, and which one it was", async () => {
    const globex = s.linear.workspace({ name: "Globex" });
    const eve = personOn(s.linear, s.linear.user(globex, { name: "Eve", admin: true }));
    const theirs = s.linear.team(globex, { key: "ENG" });
    eve.grant(s.app, { scopes: everyScope });
    s.ada.open(s.eng, "Ours");
    eve.open(theirs, "Theirs");
    const heard = (await s.heard()).map(({ payload }) => [
      payload["organizationId"],
      payload.data?.["identifier"],
    ]);
    expect(heard).toEqual([
      [s.acme.id, "ENG-1"],
      [globex.id, "ENG-1"],
    ]);
  });

  it("nothing of a workspace the app is not in, or of what it did not ask for", async () => {
    const globex = s.linear.workspace({ name: "Globex" });
    const eve = personOn(s.linear, s.linear.user(globex, { name: "Eve" }));
    eve.open(s.linear.team(globex, { key: "ENG" }), "Theirs");
    s.app.webhook.resourceTypes = ["Comment"];
    s.ada.comment(s.ada.open(s.eng, "Quiet"), "loud");
    expect(await s.names()).toEqual(["Comment.create"]);
  });

  it("also a webhook that an admin made for a team, under its own secret", async () => {
    const admin = s.as({ apiKey: s.linear.apiKey(s.ada.user) });
    const url = s.app.webhook.url ?? "";
    s.app.webhook.enabled = false;
    const made = await admin.createWebhook({
      url,
      teamId: s.eng.id,
      resourceTypes: ["Issue"],
      secret: s.app.webhook.secret,
    });
    s.ada.open(s.eng, "Heard");
    s.ada.open(s.linear.team(s.acme, { key: "OPS" }), "Not heard");
    expect((await s.heard()).map(({ payload }) => payload["webhookId"])).toEqual([made.webhookId]);
    await admin.deleteWebhook(made.webhookId ?? "");
    s.ada.open(s.eng, "Not heard");
    expect(await s.heard()).toHaveLength(1);
  });
});

describe("a delivery", () => {
  it("is refused by the SDK when its secret is wrong or its stamp older than a minute", async () => {
    const sendAs = async (bend: (one: SimDelivery) => SimDelivery): Promise<number | undefined> => {
      let bent: SimDelivery | undefined;
      s.linear.courier.deliver = (one) => [(bent = bend(one))];
      s.ada.open(s.eng, "Bent");
      await s.linear.courier.idle();
      return bent?.attempts.at(-1)?.status;
    };
    expect(await sendAs((one) => ({ ...one, to: { ...one.to, secret: "another" } }))).toBe(400);
    expect(await sendAs((one) => ({ ...one, stampedAt: Date.now() - 61_000 }))).toBe(400);
    expect(await s.heard()).toEqual([]);
    expect(await sendAs((one) => one)).toBe(200);
    expect(await s.heard()).toHaveLength(1);
  });

  it("is tried again after a minute, an hour and six hours, under the same id, then given up", async () => {
    s.answer(500);
    s.ada.open(s.eng, "Deaf");
    await s.heard();
    const [delivery] = s.linear.courier.deliveries;
    const start = s.clock.now();
    const counts: number[] = [];
    for (const ms of [minuteMs, 60 * minuteMs, 6 * 60 * minuteMs, 24 * 60 * minuteMs]) {
      await s.clock.advance(ms);
      counts.push((await s.heard()).length);
    }
    expect(counts).toEqual([2, 3, 4, 4]);
    expect(delivery?.attempts.map(({ at }) => at - start)).toEqual([
      0,
      minuteMs,
      61 * minuteMs,
      421 * minuteMs,
    ]);
    expect(delivery?.outcome).toBe("given up");
    expect(new Set((await s.heard()).map(({ id }) => id)).size).toBe(1);
  });

  it("that arrives at last is not sent again", async () => {
    s.answer(503);
    s.ada.open(s.eng, "Deaf for a moment");
    await s.heard();
    s.answer(200);
    await s.clock.advance(24 * 60 * minuteMs);
    expect(await s.heard()).toHaveLength(2);
    expect(s.linear.courier.deliveries[0]?.outcome).toBe("delivered");
  });

  it("can be lost, doubled, or overtaken by the next", async () => {
    const held: SimDelivery[] = [];
    s.linear.courier.deliver = (one) => {
      const title = (one.payload["data"] as Json)["title"];
      if (title === "lost") return [];
      if (title === "doubled") return [one, one];
      if (title === "late") {
        held.push(one);
        return [];
      }
      return [one, ...held.splice(0)];
    };
    for (const title of ["lost", "doubled", "late", "early"]) s.ada.open(s.eng, title);
    const titles = (await s.heard()).map(({ payload }) => payload.data?.["title"]);
    expect(titles).toEqual(["doubled", "doubled", "early", "late"]);
    const [, doubled] = s.linear.courier.deliveries;
    if (doubled !== undefined) s.linear.courier.redeliver(doubled);
    expect((await s.heard()).map(({ id }) => id).filter((id) => id === doubled?.id)).toHaveLength(3);
  });
});
