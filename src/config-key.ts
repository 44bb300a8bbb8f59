import { createPrivateKey } from "node:crypto";
import { Problem } from "./problems.ts";

/** Many shells and services keep a PEM on one line, with `\n` for its line ends or as a whole in base64. */
export function readKey(text: string): string {
  const isBase64 = /^LS0t[A-Za-z0-9+/]+={0,2}$/u.test(text);
  const plain = isBase64 ? Buffer.from(text, "base64").toString("utf8") : text;
  const pem = plain.replaceAll(String.raw`\n`, "\n").trim();
  if (!pem.startsWith("-----BEGIN")) {
    throw new Problem("github-key-wrong", {
      why: "it does not start with -----BEGIN; is it a path? Then use _FILE",
    });
  }
  let type: string | undefined;
  try {
    type = createPrivateKey(pem).asymmetricKeyType;
  } catch (cause) {
    throw new Problem("github-key-wrong", { why: "it is damaged, cut off or encrypted" }, { cause });
  }
  if (type !== "rsa") throw new Problem("github-key-wrong", { why: `it is an ${type ?? "unknown"} key` });
  return pem;
}
