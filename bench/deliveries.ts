import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";

/** A delivery as GitHub posts it; only its id differs from one to the next. */
export interface Envelope {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** GitHub's own example of a labelled issue, signed. */
export function envelope(secret: string): Envelope {
  const path = createRequire(import.meta.url).resolve("@octokit/webhooks-examples/api.github.com/index.json");
  const all = JSON.parse(readFileSync(path, "utf8")) as readonly {
    readonly name: string;
    readonly examples: readonly { readonly action?: string }[];
  }[];
  const example = all
    .find(({ name }) => name === "issues")
    ?.examples.find(({ action }) => action === "labeled");
  if (example === undefined) throw new Error("there is no example of a labelled issue");
  const body = JSON.stringify(example);
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  return {
    body,
    headers: {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      "x-github-event": "issues",
      "x-hub-signature-256": `sha256=${signature}`,
    },
  };
}

/** A pool of connections that stay open, as a busy sender has. */
export const openPool = (): Agent => new Agent({ keepAlive: true, maxSockets: 64 });

/** Posts one delivery and answers the status and how long it took. */
export function post(
  pool: Agent,
  url: string,
  { body, headers }: Envelope,
  id: string,
): Promise<{ readonly status: number; readonly ms: number }> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const sent = request(
      url,
      { method: "POST", agent: pool, headers: { ...headers, "x-github-delivery": id } },
      (answer) => {
        answer.resume();
        answer.once("end", () => resolve({ status: answer.statusCode ?? 0, ms: performance.now() - start }));
        answer.once("error", reject);
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}

/**
 * Calls the sender so many times a second for so long, whether or not earlier calls have come back: a slow receiver
 * gets no rest. Resolves when the last one has come back; rejects with the first that failed, once its time is over.
 */
export async function atRate(
  perSecond: number,
  forMs: number,
  send: (index: number) => Promise<void>,
): Promise<void> {
  const start = performance.now();
  const under: Promise<void>[] = [];
  const total = Math.round((perSecond * forMs) / 1_000);
  while (under.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - start) / 1_000) * perSecond) + 1);
    while (under.length < due) {
      const one = send(under.length);
      // Said below; unheard until then, it would end the process and leave its children behind.
      one.catch(() => undefined);
      under.push(one);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(under);
}
