import { createHash } from "node:crypto";
import type { Hono } from "hono";
import { bearerOf, mintToken, reaches } from "./auth.ts";
import type { Env, Hub } from "./context.ts";
import { cursorPageOf, pageIn } from "./page.ts";
import { appOf, installationAt, installationOf, installationsOf, publicUserOf, repoOf } from "./places.ts";
import type { SimDelivery } from "./state.ts";
import { iso } from "./time.ts";

/** The App about itself, its installations, tokens and deliveries; and the two GraphQL mutations REST lacks. */
export function appRoutes(api: Hono<Env>, hub: Hub): void {
  const { state } = hub;
  const { app } = state;
  const installationIn = (owner: string) => installationOf(state, app, owner);
  api.get("/app", (context) =>
    context.json({ ...appOf(state, app.id), installations_count: installationsOf(state).length }),
  );
  api.get("/app/installations", (context) =>
    context.json(installationsOf(state).map(({ owner }) => installationIn(owner))),
  );
  const hookConfig = () => ({
    url: hub.courier.url ?? "",
    content_type: "json",
    insecure_ssl: "0",
    secret: "********",
  });
  api.get("/app/hook/config", (context) => context.json(hookConfig()));
  api.patch("/app/hook/config", (context) => {
    const { url, secret } = (context.get("body") ?? {}) as {
      readonly url?: string;
      readonly secret?: string;
    };
    if (url !== undefined) hub.courier.target(url);
    if (secret !== undefined) Object.assign(app, { webhookSecret: secret });
    return context.json(hookConfig());
  });
  api.get("/repos/:owner/:name/installation", (context) =>
    hub.repo(context.req.param("owner"), context.req.param("name")) === undefined
      ? context.json({ message: "Not Found" }, 404)
      : context.json(installationIn(context.req.param("owner"))),
  );
  api.get("/user/:account", (context) => {
    const account = Number(context.req.param("account"));
    const [login] = [...hub.state.people].find(([, person]) => person.id === account) ?? [];
    return login === undefined
      ? context.json({ message: "Not Found" }, 404)
      : context.json(publicUserOf(hub.state, login));
  });
  api.post("/app/installations/:id/access_tokens", (context) => {
    const at = installationsOf(state).find(({ id }) => id === Number(context.req.param("id")));
    if (at === undefined) return context.json({ message: "Not Found" }, 404);
    const body = (context.get("body") ?? {}) as {
      repository_ids?: number[];
      repositories?: string[];
      permissions?: Record<string, string>;
    };
    const excess = Object.entries(body.permissions ?? {}).find(([name, level]) => {
      const has = app.permissions[name];
      return has === undefined || (level === "write" && has === "read");
    });
    if (excess !== undefined)
      return context.json(
        { message: "The permissions requested are not granted to this installation." },
        422,
      );
    const chosen = body.repositories?.map((name) => hub.repo(at.owner, name)?.id ?? -1);
    const ids = body.repository_ids ?? chosen ?? [];
    if (ids.some((id) => !state.repos.some((repo) => repo.id === id && repo.owner === at.owner)))
      return context.json(
        {
          message:
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        },
        422,
      );
    const { token, expiresAt } = mintToken(
      hub,
      ids.length === 0 ? { allOf: at.owner } : ids,
      body.permissions ?? app.permissions,
    );
    return context.json(
      {
        token,
        expires_at: new Date(expiresAt).toISOString(),
        permissions: body.permissions ?? app.permissions,
        repository_selection: ids.length === 0 ? "all" : "selected",
      },
      201,
    );
  });
  api.get("/installation/repositories", (context) => {
    const bearer = bearerOf(hub, context.req.header("authorization"));
    const repos = state.repos.filter((repo) => bearer !== undefined && reaches(bearer.token, repo));
    return pageIn(
      context,
      "repositories",
      repos.map((repo) => repoOf(state, repo)),
    );
  });
  api.delete("/installation/token", (context) => {
    const bearer = bearerOf(hub, context.req.header("authorization"));
    if (bearer === undefined) return context.json({ message: "Bad credentials" }, 401);
    state.tokens.delete(bearer.text);
    return context.body(null, 204);
  });
  api.get("/app/hook/deliveries", (context) => {
    // What is on its way is not in the log yet.
    const told = state.deliveries.filter((one) => !hub.courier.isUnderWay(one)).toReversed();
    const etag = `W/"${createHash("sha256")
      .update(JSON.stringify([context.req.url, told.map(({ id }) => id)]))
      .digest("hex")}"`;
    context.header("etag", etag);
    if (context.req.header("if-none-match") === etag) return context.body(null, 304);
    return cursorPageOf(
      context,
      told.map((one) => deliveryOf(hub, one)),
    );
  });
  api.get("/app/hook/deliveries/:id", (context) => {
    const found = state.deliveries.find((one) => one.id === Number(context.req.param("id")));
    if (found === undefined) return context.json({ message: "Not Found" }, 404);
    return context.json({
      ...deliveryOf(hub, found),
      request: { headers: {}, payload: JSON.parse(found.body) as object },
      response: { headers: {}, payload: "" },
    });
  });
  api.post("/app/hook/deliveries/:id/attempts", (context) => {
    const found = state.deliveries.find((one) => one.id === Number(context.req.param("id")));
    if (found === undefined) return context.json({ message: "Not Found" }, 404);
    hub.courier.redeliver(found);
    return context.json({}, 202);
  });
}

function deliveryOf({ state }: Hub, delivery: SimDelivery) {
  const { repository } = JSON.parse(delivery.body) as { readonly repository?: { readonly id: number } };
  const { id, guid, name, action, at, status, redelivery } = delivery;
  return {
    id,
    guid,
    event: name,
    action: action ?? null,
    delivered_at: iso(at),
    duration: 0,
    status: status === 202 || status === 200 || status === 204 ? "OK" : "failed",
    status_code: status,
    redelivery,
    installation_id: installationAt(
      state,
      state.repos.find(({ id: known }) => known === repository?.id)?.owner ?? state.app.owner,
    ),
    repository_id: repository?.id ?? null,
    throttled_at: null,
  };
}
