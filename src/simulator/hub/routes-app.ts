import type { Hono } from "hono";
import { repoOf } from "./format.ts";
import { mintToken } from "./auth.ts";
import type { Env, Hub } from "./hub.ts";
import { pageOf } from "./page.ts";

/** The App about itself, its installations, tokens and deliveries; and the two GraphQL mutations REST lacks. */
export function appRoutes(api: Hono<Env>, hub: Hub): void {
  const { state } = hub;
  const { app } = state;
  const installation = () => ({
    id: app.installation,
    app_id: app.id,
    account: { login: app.owner, id: 1, type: "Organization" },
    permissions: app.permissions,
    events: app.events,
    repository_selection: "all",
    suspended_at: null,
  });
  api.get("/app", (context) =>
    context.json({
      id: app.id,
      slug: app.slug,
      name: app.slug,
      permissions: app.permissions,
      events: app.events,
      html_url: `${hub.url}/apps/${app.slug}`,
    }),
  );
  api.get("/app/installations", (context) => context.json([installation()]));
  api.get("/app/hook/config", (context) => context.json({ url: "", content_type: "json" }));
  api.get("/repos/:owner/:name/installation", (context) =>
    hub.repo(context.req.param("owner"), context.req.param("name")) === undefined
      ? context.json({ message: "Not Found" }, 404)
      : context.json(installation()),
  );
  api.post("/app/installations/:id/access_tokens", (context) => {
    if (Number(context.req.param("id")) !== app.installation)
      return context.json({ message: "Not Found" }, 404);
    const body = (context.get("body") ?? {}) as {
      repository_ids?: number[];
      permissions?: Record<string, string>;
    };
    const { token, expiresAt } = mintToken(
      hub,
      body.repository_ids ?? "all",
      body.permissions ?? app.permissions,
    );
    return context.json(
      {
        token,
        expires_at: new Date(expiresAt).toISOString(),
        permissions: body.permissions ?? app.permissions,
      },
      201,
    );
  });
  api.get("/installation/repositories", (context) =>
    context.json({
      total_count: state.repos.length,
      repositories: state.repos.map((repo) => repoOf(state, repo)),
    }),
  );
  api.get("/app/hook/deliveries", (context) => {
    const newest = state.deliveries.toReversed().map(({ id, guid, name, action, at, status }) => ({
      id,
      guid,
      event: name,
      action: action ?? null,
      delivered_at: new Date(at).toISOString(),
      status: status === 202 || status === 200 || status === 204 ? "OK" : "failed",
      status_code: status,
      redelivery: false,
    }));
    return pageOf(context, newest);
  });
  api.get("/app/hook/deliveries/:id", (context) => {
    const found = state.deliveries.find((one) => one.id === Number(context.req.param("id")));
    if (found === undefined) return context.json({ message: "Not Found" }, 404);
    return context.json({
      id: found.id,
      guid: found.guid,
      event: found.name,
      action: found.action ?? null,
      status_code: found.status,
      delivered_at: new Date(found.at).toISOString(),
      request: { headers: {}, payload: JSON.parse(found.body) as object },
    });
  });
  api.post("/app/hook/deliveries/:id/attempts", (context) => {
    const found = state.deliveries.find((one) => one.id === Number(context.req.param("id")));
    if (found === undefined) return context.json({ message: "Not Found" }, 404);
    hub.courier.redeliver(found);
    return context.json({}, 202);
  });
}
