/** GitHub's log of deliveries over HTTP: pages, conditional questions, the budget it tells. */
import { expect, test } from "vitest";
import { githubDeliveryLog } from "../../src/adapters/github/delivery-log.ts";
import type { Asked } from "./front.ts";
import { now, ok, scripted } from "./scripted.ts";

const attempt = (id: number, minutesAgo: number, guid = `g${id}`) => ({
  id,
  guid,
  event: "issues",
  delivered_at: new Date(now - minutesAgo * 60_000).toISOString(),
  status_code: id % 2 === 0 ? 202 : 0,
});
const guids = (news: { readonly deliveries: readonly { readonly guid: string }[] | undefined }) =>
  news.deliveries?.map(({ guid }) => guid);

test("what arrived and what did not is listed oldest first, an earlier attempt before its repetition", async () => {
  const list = ok([attempt(4, 0, "g1"), attempt(3, 1), attempt(2, 2), attempt(1, 3)]);
  const { github } = await scripted({ "GET /app/hook/deliveries": list });
  const news = await githubDeliveryLog(github).since(now - 3_600_000, undefined);
  expect(guids(news)).toEqual(["g1", "g2", "g3"]);
  expect(news.deliveries?.[0]).toEqual({ id: 1, guid: "g1", name: "issues", at: now - 180_000 });
});

test("pages are walked by cursor until one reaches back far enough", async () => {
  const pages = [[attempt(5, 0), attempt(4, 1)], [attempt(3, 2), attempt(2, 90)], [attempt(1, 99)]];
  let url = "";
  const { github, front } = await scripted({
    "GET /app/hook/deliveries": ({ path }: Asked) => {
      const at = Number(new URL(path, "http://x").searchParams.get("cursor") ?? 0);
      const link = `<${url}/app/hook/deliveries?per_page=100&cursor=${at + 1}>; rel="next"`;
      return { ...ok(pages[at]), headers: { link } };
    },
  });
  url = front.url;
  expect(guids(await githubDeliveryLog(github).since(now - 3_600_000, undefined))).toEqual([
    "g3",
    "g4",
    "g5",
  ]);
  expect(front.asked).toHaveLength(2);
});

test("a tag asks whether anything changed, and 304 says no; the budget is told either way", async () => {
  const headers = { "x-ratelimit-remaining": "4999", "x-ratelimit-reset": String(now / 1_000 + 60) };
  let isChanged = true;
  const { github } = await scripted({
    "GET /app/hook/deliveries": () =>
      isChanged
        ? { ...ok([attempt(1, 0)]), headers: { ...headers, etag: '"one"' } }
        : { status: 304, headers },
  });
  const log = githubDeliveryLog(github);
  const first = await log.since(0, undefined);
  expect(first).toMatchObject({ tag: '"one"', budget: { left: 4_999, resetAt: now + 60_000 } });
  isChanged = false;
  expect(await log.since(0, first.tag)).toEqual({
    deliveries: undefined,
    tag: '"one"',
    budget: { left: 4_999, resetAt: now + 60_000 },
  });
});

test("a payload is given as it was sent, as a form too; what is forgotten is undefined", async () => {
  const { github } = await scripted({
    "GET /app/hook/deliveries/1": ok({ request: { payload: { action: "opened" } } }),
    "GET /app/hook/deliveries/2": ok({ request: { payload: '{"action":"closed"}' } }),
    "GET /app/hook/deliveries/3": { status: 404, body: { message: "Not Found" } },
  });
  const log = githubDeliveryLog(github);
  expect(await log.payload(1)).toEqual({ action: "opened" });
  expect(await log.payload(2)).toEqual({ action: "closed" });
  expect(await log.payload(3)).toBeUndefined();
});
