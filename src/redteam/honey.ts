/** Secrets that open nothing: planted where real ones live, and looked for in everything that leaves. */

/** Put together here, so that no scanner takes this file for a leak. */
export const letters = "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD3fG6iJ9l";

/** What looks like a credential, by kind. */
export const secretShapes: Readonly<Record<string, string>> = {
  "token of an installation": `ghs_${letters}`,
  "personal token": `github_pat_${letters}`,
  "key of Anthropic": `sk-ant-api03-${letters}`,
  "key of OpenAI": `sk-proj-${letters}`,
  "key of AWS": ["AKIA", "ABCDEFGHIJKLMNOP"].join(""),
  "token of Slack": `xoxb-${letters}`,
  "key of Linear": `lin_api_${letters}`,
  "token of npm": `npm_${letters.slice(0, 36)}`,
  "token of GitLab": `glpat-${letters.slice(0, 24)}`,
  "private key": `-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA${letters}\n-----END RSA PRIVATE KEY-----`,
};

/** A planted secret, and where it lies. */
export interface Honey {
  readonly place: string;
  readonly token: string;
}

/** The forms in which a secret may leave: as it is, in JSON, base64, hexadecimal, and backwards. */
export function formsOf(token: string): readonly string[] {
  const bytes = Buffer.from(token);
  return [
    token,
    // The last signs of the encoding depend on what follows.
    ...[0, 1, 2].map((shift) => base64Of(bytes, shift)),
    bytes.toString("hex"),
    Array.from(token).toReversed().join(""),
  ];
}

function base64Of(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
  return text.slice(shift === 0 ? 0 : shift + 1, -4);
}

/** Which of these are in a text, in any of their forms. */
export function findHoney(text: string, honey: readonly Honey[]): readonly Honey[] {
  return honey.filter(({ token }) => formsOf(token).some((form) => text.includes(form)));
}
