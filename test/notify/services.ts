/** Services that people are told by, on loopback: each writes down what it was sent, and answers as the test says. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { readChannel } from "../../src/config-notify.ts";
import type { Channel, NotifyItem, NotifyMessage } from "../../src/ports-notify.ts";

export interface Request {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Record<string, unknown>;
}
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}
export interface Services {
  /** `http://127.0.0.1:1234` */
  readonly url: string;
  readonly host: string;
  readonly requests: Request[];
  /** What is answered from now on; `hang` answers nothing at all, `cut` breaks off after it was read. */
  answer(how: Reply | "hang" | "cut"): void;
  close(): Promise<void>;
}

export async function openServices(): Promise<Services> {
  const requests: Request[] = [];
  let how: Reply | "hang" | "cut" = { status: 200, body: '{"ok":true}' };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const json = JSON.parse(text) as Record<string, unknown>;
      requests.push({ path: request.url ?? "", headers: request.headers, text, json });
      if (how === "hang") return;
      if (how === "cut") request.socket.destroy();
      else response.writeHead(how.status, how.headers).end(how.body ?? "");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    requests,
    answer: (next) => {
      how = next;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function channelOf(url: string): Channel {
  const read = readChannel(url);
  if ("wrong" in read) throw new Error(read.wrong);
  return read;
}

/** One URL of each service that is spoken to over HTTP, led to loopback. */
export const urlsOn = ({ url, host }: Pick<Services, "url" | "host">) => ({
  slack: `slack://T00000000/B00000000/sEcReTsLaCk0123456789?api=${url}`,
  "slack-bot": `slack://xoxb-1234567890-sEcReT/C0123456789?api=${url}/api`,
  discord: `discord://123456789012345678/sEcReT-discord_0123456789?api=${url}/api`,
  telegram: `tgram://123456789:sEcReT-telegram_0123456789/-1001234567890:7?api=${url}`,
  ntfy: `ntfy://tk_sEcReT0123456789@${host}/acme-alerts`,
  gotify: `gotify://${host}/AsEcReT.gotify01`,
  webhook: `json://${host}/hooks/one?secret=sEcReT-of-the-webhook`,
});

export const item = (over: Partial<NotifyItem> = {}): NotifyItem => ({
  kind: "waiting",
  says: "acme/web#42 waits for your review",
  quoted: "Say done",
  why: "it touches the login",
  next: "approve the pull request, or /forgehand approve",
  url: "https://forge.example/acme/web/pull/7",
  ticket: "github:1#42",
  at: Date.UTC(2026, 0, 5, 9),
  ...over,
});
export const message = (over: Partial<NotifyMessage> = {}): NotifyMessage => ({
  id: "slack-1.abc.1.0",
  at: Date.UTC(2026, 0, 5, 9),
  items: [item()],
  more: 0,
  ...over,
});
