/** One mail over SMTP. */
import { createHash } from "node:crypto";
import { createTransport } from "nodemailer";
import { Trouble } from "../../ports.ts";
import { unknownOutcome, type ChannelTarget, type NotifyMessage } from "../../ports-notify.ts";
import { redactKnown } from "../../secrets.ts";
import { notifyTimeoutMs } from "./post.ts";
import { headline, plainText } from "./shapes.ts";

const longestSubject = 200;

/** Sends it to all receivers at once. Its Message-ID comes from the message's own, so that a mailbox knows a repeat. */
export async function sendMail(
  target: Extract<ChannelTarget, { readonly service: "mail" }>,
  message: NotifyMessage,
  {
    secrets,
    timeoutMs = notifyTimeoutMs,
  }: { readonly secrets: readonly string[]; readonly timeoutMs?: number | undefined },
): Promise<void> {
  const { host, port, security, login, from, to } = target;
  const transport = createTransport({
    host,
    port,
    secure: security === "tls",
    requireTLS: security === "starttls",
    ...(login === undefined ? {} : { auth: { user: login.user, pass: login.password } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    // Nothing of a message is a path or an address to read from.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const digest = createHash("sha256").update(message.id).digest("hex").slice(0, 32);
  try {
    await transport.sendMail({
      from: { name: "forgehand", address: from },
      to: [...to],
      subject: headline(message).slice(0, longestSubject),
      text: plainText(message),
      messageId: `<${digest}@${from.slice(from.lastIndexOf("@") + 1)}>`,
      date: new Date(message.at),
      headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
    });
  } catch (error) {
    throw troubleOf(error, redactKnown(secrets));
  } finally {
    transport.close();
  }
}

/** What shows that no text was sent yet; the library calls every break of the connection by one name. */
const beforeText =
  /^(?:EHLO|HELO|STARTTLS|AUTH|MAIL|RCPT)|EDNS|ETLS|ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|Greeting never received|Connection timeout/u;

function troubleOf(error: unknown, redacted: (text: string) => string): Trouble {
  const field = (name: string): unknown => (error instanceof Error ? Reflect.get(error, name) : undefined);
  const status = field("responseCode");
  const why = redacted(error instanceof Error ? error.message : String(error))
    .replace(/\s+/gu, " ")
    .slice(0, 300);
  const isPassing = typeof status === "number" && status >= 400 && status < 500;
  if (!isPassing && (field("code") === "EAUTH" || typeof status === "number"))
    return new Trouble("notify-refused", `The mail server refused it: ${why}.`, { permanent: true });
  // Once the text was on its way, only the server's word tells whether it took it.
  if (!isPassing && !beforeText.test(`${String(field("command"))} ${String(field("code"))} ${why}`))
    return new Trouble(unknownOutcome, `Whether the mail arrived is not known: ${why}.`);
  return new Trouble("notify-unavailable", `The mail server could not take it: ${why}.`);
}
