import { afterEach, expect, test } from "vitest";
import { openWorld, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

test("an installation of many repositories is synced once, not once for each of them", async () => {
  world = await openWorld();
  const { hub } = world;
  const { shop, store } = world.forgehand;
  const repositories: { readonly id: number; readonly full_name: string; readonly private: boolean }[] = [];
  for (const name of ["a", "b", "c", "d"]) {
    const { id } = await hub.seed({ owner: "acme", name, files: { "README.md": "x\n" } });
    repositories.push({ id, full_name: `acme/${name}`, private: false });
  }
  const list = shop.hooks.repos.bind(shop.hooks);
  let listed = 0;
  Object.assign(shop.hooks, {
    repos: async () => {
      listed += 1;
      return await list();
    },
  });
  await store.receive({
    id: "installed",
    source: "github",
    name: "installation",
    action: "created",
    body: JSON.stringify({
      action: "created",
      installation: { id: hub.state.app.installation },
      repositories,
      sender: { login: "ada", id: 1, type: "User" },
    }),
    receivedAt: 1,
  });
  await world.settled();
  expect(listed).toBe(1);
  expect((await store.knownRepos()).map(({ name }) => name)).toEqual(["a", "b", "c", "d", "web"]);
});
