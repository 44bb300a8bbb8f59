import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { Hono, type Context } from "hono";
import type { Env, Hub } from "./context.ts";
import { appOf, installationsOf } from "./places.ts";
import { loginPages, type Logins } from "./routes-oauth.ts";

/** GitHub keeps the code of a manifest for an hour, and takes it once. */
const codeMs = 3_600_000;
const maxCallbacks = 10;

interface Manifest {
  readonly name: string;
  readonly url: string;
  readonly redirect_url: string;
  readonly setup_url?: string;
  readonly callback_urls?: readonly string[];
  readonly public?: boolean;
  readonly hook_attributes?: { readonly url?: string; readonly active?: boolean };
  readonly default_permissions: Readonly<Record<string, string>>;
  readonly default_events: readonly string[];
}
/** What the pages of the forge remember of Apps that were made there. */
export interface Registration {
  readonly codes: Map<
    string,
    { readonly manifest: Manifest; readonly owner: string; readonly until: number }
  >;
  /** Names that Apps of other people have. */
  readonly taken: Set<string>;
  /** Where the App's setup URL leads; undefined for an App that was not made here. */
  setupUrl: string | undefined;
  readonly logins: Logins;
}

/** The pages on which a person makes an App of a manifest and installs it, with the clicks done: each answers with where it leads. */
export function registrationPages(hub: Hub, registration: Registration): Hono<Env> {
  const pages = new Hono<Env>();
  const make = async (context: Context<Env>, owner: string): Promise<Response> => {
    const form = await context.req.parseBody();
    const manifest = manifestIn(form["manifest"]);
    const wrong = manifest === undefined ? "the manifest is no JSON" : faultOf(manifest, registration);
    if (manifest === undefined || wrong !== undefined) return context.html(`<p>${wrong ?? ""}</p>`, 422);
    const code = randomBytes(20).toString("hex");
    registration.codes.set(code, { manifest, owner, until: hub.now() + codeMs });
    const back = new URL(manifest.redirect_url);
    back.searchParams.set("code", code);
    const state = context.req.query("state");
    if (state !== undefined) back.searchParams.set("state", state);
    return context.redirect(back.href, 302);
  };
  pages.post("/settings/apps/new", (context) => make(context, hub.state.app.owner));
  pages.post("/organizations/:org/settings/apps/new", (context) => make(context, context.req.param("org")));
  pages.get("/apps/:slug/installations/new", (context) => {
    const { app } = hub.state;
    if (context.req.param("slug") !== app.slug) return context.text("Not Found", 404);
    app.installed = true;
    const [first] = installationsOf(hub.state);
    if (registration.setupUrl === undefined || first === undefined) return context.text("installed");
    const back = new URL(registration.setupUrl);
    back.searchParams.set("installation_id", String(first.id));
    back.searchParams.set("setup_action", "install");
    return context.redirect(back.href, 302);
  });
  loginPages(pages, hub, registration.logins);
  return pages;
}

function manifestIn(text: unknown): Manifest | undefined {
  try {
    return JSON.parse(String(text)) as Manifest;
  } catch {
    return undefined;
  }
}

function faultOf(manifest: Manifest, { taken }: Registration): string | undefined {
  if (taken.has(manifest.name)) return "Name has already been taken";
  if (manifest.name.length > 34) return "Name is too long (maximum is 34 characters)";
  const { url, redirect_url: back, hook_attributes: hook, callback_urls: callbacks = [] } = manifest;
  if (callbacks.length > maxCallbacks) return "Error in manifest: too many callback URLs";
  return [url, back, hook?.url, ...callbacks].every((one) => one === undefined || URL.canParse(one))
    ? undefined
    : "Error in manifest: a URL is malformed";
}

/** Turns a code into the App: the forge's one App becomes what the manifest says, under a key and secrets of its own. */
export function manifestRoutes(api: Hono<Env>, hub: Hub, registration: Registration): void {
  api.post("/app-manifests/:code/conversions", (context) => {
    const code = context.req.param("code");
    const found = registration.codes.get(code);
    registration.codes.delete(code);
    if (found === undefined || found.until <= hub.now()) return context.json({ message: "Not Found" }, 404);
    const { manifest, owner } = found;
    const pem = generateKeyPairSync("rsa", { modulusLength: 2048 })
      .privateKey.export({ type: "pkcs1", format: "pem" })
      .toString();
    const { state } = hub;
    Object.assign(state.app, {
      id: hub.id(),
      slug: manifest.name.toLowerCase().replaceAll(/[^a-z0-9]+/gu, "-"),
      owner,
      createdAt: hub.now(),
      privateKey: pem,
      publicKey: createPublicKey(createPrivateKey(pem)).export({ type: "spki", format: "pem" }).toString(),
      webhookSecret: randomBytes(20).toString("hex"),
      permissions: manifest.default_permissions,
      events: manifest.default_events,
      installed: false,
    });
    const login = `${state.app.slug}[bot]`;
    state.people.set(login, { login, id: hub.id(), type: "Bot" });
    registration.setupUrl = manifest.setup_url;
    const { logins } = registration;
    logins.callbackUrls = manifest.callback_urls ?? [];
    Object.assign(logins.client, {
      id: `Iv1.${randomBytes(8).toString("hex")}`,
      secret: randomBytes(20).toString("hex"),
    });
    const isActive = manifest.hook_attributes?.active !== false;
    hub.courier.target(isActive ? manifest.hook_attributes?.url : undefined);
    return context.json(
      {
        ...appOf(state, state.app.id),
        client_id: logins.client.id,
        client_secret: logins.client.secret,
        webhook_secret: state.app.webhookSecret,
        pem,
      },
      201,
    );
  });
}
