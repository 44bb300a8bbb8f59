/** The page on this host to which Linear sends the browser back, with a code or with why there is none. */
import { timingSafeEqual } from "node:crypto";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { Clock } from "../../ports.ts";
import { Problem } from "../../problems.ts";

export interface ConsentPage {
  /** One answer with our state: its code. Throws a `Problem` when consent is denied or nobody answers in time. */
  answer(): Promise<string>;
  close(): Promise<void>;
}
export interface ConsentOptions {
  readonly redirect: string;
  readonly state: string;
  readonly clock: Clock;
  readonly limitMs: number;
  /** Told what a person at the terminal should know while waiting. */
  readonly say: (line: string) => void;
}

type Outcome = { readonly code: string } | { readonly denied: string };

/** Listens on this host alone. An answer with another state is turned away and the page goes on waiting. */
export async function openConsentPage(options: ConsentOptions): Promise<ConsentPage> {
  const { redirect, clock, limitMs } = options;
  const { port, pathname, hostname } = new URL(redirect);
  const arrived = Promise.withResolvers<Outcome>();
  let strangers = 0;
  let isOver = false;
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? "/", redirect);
    if (request.method !== "GET" || url?.pathname !== pathname)
      return page(response, 404, "There is nothing here.");
    if (isOver) return page(response, 410, "This sign-in was answered already. Look at the terminal.");
    if (!isSame(url.searchParams.get("state") ?? "", options.state)) {
      strangers += 1;
      if (strangers === 1)
        options.say(
          "an answer arrived that belongs to another sign-in (an old tab?); still waiting for ours",
        );
      return page(
        response,
        400,
        "This answer belongs to another sign-in. Open the address that the terminal shows now.",
      );
    }
    const outcome = outcomeIn(url);
    if (outcome === undefined) return page(response, 400, "Linear sent neither a code nor a reason.");
    isOver = true;
    page(
      response,
      200,
      "Linear's answer has arrived. The terminal says what came of it; this tab can be closed.",
    );
    arrived.resolve(outcome);
  });
  const address = hostname === "localhost" ? "127.0.0.1" : hostname.replaceAll(/[[\]]/gu, "");
  await listen(server, Number(port), address, redirect);
  return {
    answer: async () => {
      const ending = new AbortController();
      const tooLate = clock
        .until(clock.now() + limitMs, ending.signal)
        .then((): Outcome | undefined => undefined);
      // Aborted below, once the answer is there.
      tooLate.catch(() => undefined);
      const outcome = await Promise.race([arrived.promise, tooLate]);
      ending.abort();
      isOver = true;
      if (outcome === undefined)
        throw new Problem("linear-no-answer", {
          minutes: Math.round(limitMs / 60_000),
          redirect,
          more: strangers === 0 ? "" : ` (${strangers} with another state)`,
        });
      if ("denied" in outcome) throw new Problem("linear-consent-denied", { why: outcome.denied });
      return outcome.code;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function outcomeIn(url: URL): Outcome | undefined {
  const error = url.searchParams.get("error");
  const code = url.searchParams.get("code");
  if (error !== null) {
    const words = [error, url.searchParams.get("error_description") ?? ""].join(" ").trim();
    return { denied: words.replaceAll(/[^\x20-\x7e]/gu, " ").slice(0, 200) };
  }
  return code === null || code === "" || code.length > 4000 ? undefined : { code };
}

function isSame(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Fixed words only: nothing of the request is shown. */
function page(response: ServerResponse, status: number, words: string): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    connection: "close",
  });
  response.end(`<!doctype html><meta charset="utf-8"><title>forgehand</title><p>${words}</p>\n`);
}

function listen(server: Server, port: number, host: string, redirect: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new Problem(
          "linear-redirect-taken",
          { redirect, why: error.code ?? error.message },
          { cause: error },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
}
