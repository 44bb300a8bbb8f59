/** The page on this host that sends a person to GitHub with the manifest, and to which GitHub sends the browser back. */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What became of the code: the App is stored and may be installed, or in words why not. */
export type Stored = { readonly installAt: string } | { readonly failed: string };
export interface SetupPageOptions {
  /** Taken when it is free, else another: an interrupted set-up finds its browser tabs again. */
  readonly port: number;
  /** Unguessable: names our own form among all answers. */
  readonly state: string;
  /** Unguessable: whoever shares this host must not open the form. */
  readonly key: string;
  /** Where the form leads and what it carries, once the address of this page is known. */
  readonly form: (back: { readonly created: string; readonly installed: string }) => {
    readonly action: string;
    readonly manifest: object;
    readonly owner: string;
  };
  /** Exchanges the code and stores what came of it, before anything else. */
  readonly store: (code: string) => Promise<Stored>;
  /** `owner/name` of what the App may see by now. */
  readonly repositories: () => Promise<readonly string[]>;
  readonly say: (line: string) => void;
}
export interface SetupPage {
  /** What a person opens. */
  readonly url: string;
  readonly port: number;
  /** Resolves once the App is stored. */
  readonly created: Promise<void>;
  /** Resolves once the browser came back from installing. */
  readonly installed: Promise<void>;
  close(): Promise<void>;
}

const lastPageMs = 15_000;
const cookieName = "forgehand_setup";

/** Listens on the loopback alone. Answers that are not ours are turned away, and it goes on waiting. */
export async function openSetupPage(options: SetupPageOptions): Promise<SetupPage> {
  const server = createServer();
  const port = await listen(server, options.port);
  const origin = `http://127.0.0.1:${port}`;
  const created = Promise.withResolvers<void>();
  const installed = Promise.withResolvers<void>();
  const desk: Desk = { options, origin, port, created, installed, storing: undefined, done: undefined };
  const responding = new Set<Promise<void>>();
  server.on("request", (request, response) => {
    const work = respond(desk, request, response)
      .catch((error: unknown) => {
        options.say(`the set-up page met trouble: ${error instanceof Error ? error.message : String(error)}`);
        if (!response.headersSent) page(response, 500, "It failed; the terminal says why.");
      })
      .then(() => sent(response))
      .finally(() => responding.delete(work));
    responding.add(work);
  });
  return {
    url: `${origin}/start/${options.key}`,
    port,
    created: created.promise,
    installed: installed.promise,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Whoever waits for a page still gets it; one that is not fetched keeps nobody.
      await Promise.race([Promise.all(responding), sleep(lastPageMs, undefined, { ref: false })]);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The page has left this process, or nobody waits for it any more. */
const sent = (response: ServerResponse): Promise<void> =>
  response.writableFinished || response.closed
    ? Promise.resolve()
    : new Promise((resolve) => {
        response.once("close", resolve);
      });

interface Desk {
  readonly options: SetupPageOptions;
  readonly origin: string;
  readonly port: number;
  readonly created: PromiseWithResolvers<void>;
  readonly installed: PromiseWithResolvers<void>;
  storing: Promise<Stored> | undefined;
  done: string | undefined;
}

async function respond(desk: Desk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { options, port } = desk;
  // A name that was made to point to this host is none of ours.
  if (request.headers.host !== `127.0.0.1:${port}` && request.headers.host !== `localhost:${port}`)
    return page(response, 421, "There is nothing here.");
  const url = URL.parse(request.url ?? "/", desk.origin);
  if (request.method !== "GET" || url === null) return page(response, 404, "There is nothing here.");
  const [, room = "", key = ""] = url.pathname.split("/");
  if (room === "start" && isSame(key, options.key)) return start(desk, response);
  if (url.pathname === "/created") return await create(desk, url, response);
  if (url.pathname === "/installed") return await install(desk, request, response);
  return page(response, 404, "There is nothing here.");
}

function start({ options, origin }: Desk, response: ServerResponse): void {
  const { action, manifest, owner } = options.form({
    created: `${origin}/created`,
    installed: `${origin}/installed`,
  });
  response.setHeader("set-cookie", `${cookieName}=${options.key}; HttpOnly; SameSite=Lax; Path=/`);
  page(
    response,
    200,
    [
      `GitHub will show what the App may do, and make it for <b>${escaped(owner)}</b>. Its key comes straight to this host.`,
      `<form method="post" action="${escaped(action)}">`,
      `<input type="hidden" name="manifest" value="${escaped(JSON.stringify(manifest))}">`,
      `<button autofocus>Create the App on GitHub</button></form>`,
      `<small>A page that says 404 means that you may not make Apps for ${escaped(owner)}.</small>`,
    ].join("\n"),
    new URL(action).origin,
  );
}

async function create(desk: Desk, url: URL, response: ServerResponse): Promise<void> {
  const { options } = desk;
  if (!isSame(url.searchParams.get("state") ?? "", options.state)) {
    options.say("an answer arrived that belongs to another set-up (an old tab?); still waiting for ours");
    return page(
      response,
      400,
      "This answer belongs to another set-up. Open the address that the terminal shows now.",
    );
  }
  const code = url.searchParams.get("code") ?? "";
  if (!/^[\w-]{1,200}$/u.test(code)) return page(response, 400, "GitHub sent no code.");
  if (desk.done === undefined) {
    // A code is good once: a tab that is loaded again while it is exchanged waits for the same answer.
    desk.storing ??= options.store(code).finally(() => (desk.storing = undefined));
    const stored = await desk.storing;
    if ("failed" in stored)
      return page(response, 502, `${escaped(stored.failed)} Load this page again to try once more.`);
    desk.done = stored.installAt;
  }
  desk.created.resolve();
  page(
    response,
    200,
    [
      "The App is made, and its key is stored on this host.",
      `<p><a class="button" href="${escaped(desk.done)}">Choose the repositories it works in</a>`,
    ].join("\n"),
  );
}

async function install(desk: Desk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  desk.installed.resolve();
  const cookies = (request.headers.cookie ?? "").split(/;\s*/u);
  // Names of repositories are for whoever opened the form.
  if (!cookies.some((one) => isSame(one, `${cookieName}=${desk.options.key}`)))
    return page(response, 200, "Installed. The terminal says what comes next; this tab can be closed.");
  const names = await desk.options.repositories().catch(() => undefined);
  const listed = (names ?? []).map((name) => `<li><code>forgehand bootstrap ${escaped(name)}</code></li>`);
  page(
    response,
    200,
    names === undefined
      ? "Installed. GitHub does not list its repositories just now; the terminal does, once it can."
      : listed.length === 0
        ? "Nothing is installed yet: choose at least one repository on GitHub."
        : `Installed. What prepares a repository, by one pull request that you may decline:<ul>${listed.join("")}</ul>The terminal goes on; this tab can be closed.`,
  );
}

function isSame(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escaped = (text: string): string => text.replaceAll(/[&<>"']/gu, (one) => entities[one] ?? one);

const style = `:root{color-scheme:light dark}body{font:17px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem}
h1{font-size:1.2rem}button,.button{font:inherit;font-weight:600;padding:.6rem 1.1rem;border:0;border-radius:.4rem;background:#1f6feb;color:#fff;text-decoration:none;cursor:pointer;display:inline-block;margin:1rem 0}
code{background:#8883;padding:.1rem .3rem;border-radius:.2rem}`;

/** No script, no address but ours and the one the form leads to. */
function page(response: ServerResponse, status: number, body: string, formTo?: string): void {
  const nonce = randomBytes(16).toString("base64");
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": `default-src 'none'; style-src 'nonce-${nonce}'; form-action 'self' ${formTo ?? ""}; base-uri 'none'; frame-ancestors 'none'`,
    "cache-control": "no-store",
    // The path of the form is a secret; GitHub sees no more than where it came from.
    "referrer-policy": "strict-origin",
    "x-content-type-options": "nosniff",
    connection: "close",
  });
  response.end(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>forgehand</title><style nonce="${nonce}">${style}</style><h1>forgehand</h1>${body}\n`,
  );
}

/** The port that is wanted, or any other when it is taken. */
async function listen(server: Server, wanted: number): Promise<number> {
  const attempt = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  try {
    await attempt(wanted);
  } catch {
    await attempt(0);
  }
  // `address` is an object for a server that listens on a port.
  return (server.address() as AddressInfo).port;
}
