/** Who may come in to the dashboard from elsewhere: the address people know it by, and the App's own login. */
import { z } from "zod";

const isHere = (host: string): boolean => /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/u.test(host);

/** The origin alone: pages, scripts and cookies stand at its root. */
const publicAddress = () =>
  z
    .string()
    .max(300, "it is too long")
    .transform((text, context) => {
      const url = URL.parse(text);
      const fault =
        url === null ? "an https URL is expected, such as https://forgehand.example" : faultOf(url);
      if (url !== null && fault === undefined) return url.origin;
      context.addIssue(fault ?? "an https URL is expected");
      return z.NEVER;
    });

function faultOf(url: URL): string | undefined {
  // A session would cross the network in the clear.
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isHere(url.hostname)))
    return "https is expected; plain http only on this host";
  if (url.username !== "" || url.password !== "") return "it must not hold credentials";
  return url.pathname === "/" && url.search === "" && url.hash === ""
    ? undefined
    : "a host alone is expected, without a path: pages stand at its root";
}

const clientId = () => z.string().regex(/^[\w.-]{4,100}$/u, "the client id on the App's page is expected");
const clientSecret = () => z.string().min(8, "it is too short").max(1_000, "it is too long");

/** By name, as `config-environment.ts` lists them. */
export const accessEntries = {
  PUBLIC_URL: { schema: publicAddress, secret: "no" },
  CLIENT_ID: { schema: clientId, secret: "no" },
  CLIENT_SECRET: { schema: clientSecret, secret: "yes" },
} as const;

export interface AccessSettings {
  /** `https://forgehand.example`; undefined: this host alone reaches the dashboard. */
  readonly publicUrl: string | undefined;
  /** The App's own, with which people of GitHub log in; undefined: they cannot. */
  readonly client: { readonly id: string; readonly secret: string } | undefined;
}

type Read = (name: keyof typeof accessEntries) => string | undefined;
/** Id without secret, or the other way round, is no login. */
export function accessSettings(read: Read): AccessSettings | undefined {
  const publicUrl = read("PUBLIC_URL");
  const id = read("CLIENT_ID");
  const secret = read("CLIENT_SECRET");
  if (publicUrl === undefined && id === undefined && secret === undefined) return undefined;
  return {
    publicUrl,
    client: id === undefined || secret === undefined ? undefined : { id, secret },
  };
}
