import { githubHooks } from "../../src/adapters/github/hooks.ts";
import { fakeHooks } from "../../src/simulator/fakes/hooks.ts";
import { openHub } from "../../src/simulator/fakes/hub.ts";
import type { Asked } from "./front.ts";
import { hooksContract } from "./hooks.contract.ts";
import type { HooksStage, Told } from "./hooks.contract.ts";
import { head, ok, repo, scripted } from "./scripted.ts";

async function inMemory(): Promise<HooksStage> {
  const hub = openHub({ clock: { now: () => 0 } });
  return {
    hooks: fakeHooks(hub),
    repo: hub.repo,
    head: hub.branches.get("main")?.sha ?? "",
    tell: (told) => void hub.deliveries.push(told),
    keep: (path, text) => void hub.files.set(path, text),
    close: async () => {},
  };
}

/** A folder as GitHub lists it: what lies deeper is one entry, a folder. */
const listed = (files: ReadonlyMap<string, string>, folder: string) =>
  [...files].flatMap(([path, text]) => {
    if (!path.startsWith(`${folder}/`)) return [];
    const [name = "", deeper] = path.slice(folder.length + 1).split("/");
    const type = deeper === undefined ? "file" : "dir";
    return [{ type, name, path: `${folder}/${name}`, size: type === "file" ? text.length : 0 }];
  });

/** Deliveries newest first, by cursor, and their payload one by one, as GitHub tells them. */
async function overTheWire(): Promise<HooksStage> {
  const told: Told[] = [];
  const files = new Map<string, string>();
  let url = "";
  const list = ({ path }: Asked) => {
    const newest = told.map((one, id) => ({ ...one, id })).toSorted((one, other) => other.at - one.at);
    const from = Number(new URL(path, "http://x").searchParams.get("cursor") ?? 0);
    const page = newest.slice(from, from + 100).map(({ id, guid, name, at, arrived }) => ({
      id,
      guid,
      event: name,
      delivered_at: new Date(at).toISOString(),
      status_code: arrived ? 202 : 502,
    }));
    const link = `<${url}/app/hook/deliveries?per_page=100&cursor=${from + 100}>; rel="next"`;
    return { ...ok(page), ...(from + 100 < newest.length ? { headers: { link } } : {}) };
  };
  const world = await scripted({
    "GET /app/hook/deliveries": list,
    "GET /repos/acme/shop/git/ref/heads%2Fmain": ok({ object: { sha: head } }),
    "GET /app/installations": ok([
      { id: 5, suspended_at: null },
      { id: 6, suspended_at: "2026-01-01T00:00:00Z" },
    ]),
    "GET /installation/repositories": ok({
      total_count: 1,
      repositories: [
        { id: 77, owner: { login: "acme" }, name: "shop", default_branch: "main", private: true },
      ],
    }),
    otherwise: ({ path }) => {
      const delivery = /^\/app\/hook\/deliveries\/(\d+)$/.exec(path);
      if (delivery !== null) return ok({ request: { payload: told[Number(delivery[1])]?.payload } });
      const folder = /\/contents\/personas\?ref=(\w+)$/.exec(path);
      if (folder?.[1] === head) return ok(listed(files, "personas"));
      const file = /\/contents\/([^?]+)\?ref=(\w+)$/.exec(path);
      const text = file?.[2] === head ? files.get(decodeURIComponent(file[1] ?? "")) : undefined;
      if (text === undefined) return undefined;
      return ok({
        type: "file",
        encoding: "base64",
        size: text.length,
        content: Buffer.from(text).toString("base64"),
      });
    },
  });
  url = world.front.url;
  return {
    hooks: githubHooks(world.github),
    repo,
    head,
    tell: (one) => void told.push(one),
    keep: (path, text) => void files.set(path, text),
    close: async () => {},
  };
}

hooksContract("in memory", inMemory);
hooksContract("GitHub adapter", overTheWire);
