/** A mail over real SMTP on loopback, to a server that we did not write. */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { openMessenger } from "../../src/adapters/notify/messenger.ts";
import { Trouble } from "../../src/ports.ts";
import { titleWords } from "../../src/says-notify.ts";
import { channelOf, item, message } from "./services.ts";

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
}
let mails: Mail[];
let logins: string[];
let server: SMTPServer | undefined;
beforeEach(() => {
  mails = [];
  logins = [];
});
afterEach(async () => {
  if (server !== undefined) await new Promise<void>((resolve) => server?.close(resolve));
  server = undefined;
});

const refusal = (responseCode: number, text: string): Error =>
  Object.assign(new Error(text), { responseCode });

/** Listens, and answers its port. */
async function listen(options: SMTPServerOptions = {}): Promise<number> {
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    // Loopback needs no second way to be safe.
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) => {
      logins.push(`${username} ${password}`);
      if (password === "s3cret") done(null, { user: username });
      else done(refusal(535, `no ${password} here`));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString("utf8"),
        });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => undefined);
  const listening = server.listen(0, "127.0.0.1");
  await once(listening, "listening");
  return (listening.address() as AddressInfo).port;
}

const messenger = openMessenger({ fetch, clock: { now: () => 0 }, timeoutMs: 1_000 });
const urlTo = (port: number, login = ""): string =>
  `smtp://${login}127.0.0.1:${port}?from=forgehand@example.com&to=ada@example.com,bob@example.com`;
const troubleOf = async (url: string): Promise<Trouble> => {
  const error: unknown = await messenger.send(channelOf(url), message()).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Trouble)) throw new Error(`no trouble but ${String(error)}`);
  return error;
};

test("a mail goes to everybody with the ticket as its subject and the link in its text, and a repeat is the same mail", async () => {
  const port = await listen();
  for (let n = 0; n < 2; n += 1) await messenger.send(channelOf(urlTo(port, "ada:s3cret@")), message());
  expect(logins).toEqual(["ada s3cret", "ada s3cret"]);
  const [mail, repeat] = mails;
  expect(mail).toMatchObject({ from: "forgehand@example.com", to: ["ada@example.com", "bob@example.com"] });
  expect(mail?.text).toMatch(/^Subject: acme\/web#42 waits for your review\r$/mu);
  expect(mail?.text).toMatch(/^Auto-Submitted: auto-generated\r$/mu);
  expect(mail?.text).toContain("https://forge.example/acme/web/pull/7");
  const idOf = (text = ""): string | undefined => /^Message-ID: (.+)\r$/mu.exec(text)?.[1];
  expect(idOf(mail?.text)).toMatch(/^<[0-9a-f]{32}@example\.com>$/u);
  expect(idOf(repeat?.text)).toBe(idOf(mail?.text));
});

test("a title cannot add a header or a receiver, nor end the text", async () => {
  const port = await listen();
  const hostile =
    "x\r\nBcc: eve@example.com\r\n\r\n.\r\nMAIL FROM:<eve@example.com>\r\n\u0000\u001b]0;x\u0007";
  const says = `acme/web#42\r\nBcc: eve@example.com`;
  await messenger.send(
    channelOf(urlTo(port)),
    message({ items: [item({ says, quoted: titleWords(hostile), why: hostile })] }),
  );
  expect(mails).toHaveLength(1);
  const [head = "", body = ""] = mails[0]?.text.split("\r\n\r\n", 2) ?? [];
  expect(head).not.toMatch(/^Bcc/imu);
  expect(mails[0]?.to).toEqual(["ada@example.com", "bob@example.com"]);
  expect(body).toContain("acme/web#42");
});

test.each([
  [
    "a wrong password for good, without saying it",
    () => listen(),
    "ada:wrong-password@",
    { code: "notify-refused", permanent: true },
  ],
  [
    "a receiver for good",
    () => listen({ onRcptTo: (_to, _session, done) => done(refusal(550, "nobody")) }),
    "",
    { code: "notify-refused", permanent: true },
  ],
  [
    "for now, which passes",
    () => listen({ onRcptTo: (_to, _session, done) => done(refusal(451, "grey list")) }),
    "",
    { code: "notify-unavailable", permanent: false },
  ],
  [
    "the text for now",
    () =>
      listen({
        onData: (stream, _session, done) => void stream.resume().on("end", () => done(refusal(452, "full"))),
      }),
    "",
    { code: "notify-unavailable", permanent: false },
  ],
  [
    "never, once it has the text",
    () => listen({ onData: (stream) => void stream.resume() }),
    "",
    { code: "notify-unknown", permanent: false },
  ],
])("a server that refuses %s", async (_, open, login, expected) => {
  const trouble = await troubleOf(urlTo(await open(), login));
  expect(trouble).toMatchObject(expected);
  expect(trouble.message).not.toContain("wrong-password");
});

test("what logs in does not go to a server that offers no encryption", async () => {
  const port = await listen();
  const channel = channelOf(`smtp://ada:s3cret@mail.example.com:${port}?from=f@example.com&to=a@example.com`);
  const { target } = channel;
  if (target.service !== "mail") throw new Error("no mail");
  await expect(
    messenger.send({ ...channel, target: { ...target, host: "127.0.0.1" } }, message()),
  ).rejects.toBeInstanceOf(Trouble);
  expect([logins, mails]).toEqual([[], []]);
});

test("a server that greets nobody is given up in time, and known not to have taken it", async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  expect(await troubleOf(urlTo(port))).toMatchObject({ code: "notify-unavailable", permanent: false });
  await new Promise((resolve) => silent.close(resolve));
});
