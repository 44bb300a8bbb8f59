/** Our cookies: named by how we are reached, since browsers keep one jar for all ports of a host. */
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";

export interface Reached {
  /** `https://forgehand.example`; undefined: this host alone reaches us. */
  readonly publicUrl?: string | undefined;
}
/** `login` is on the way to the forge and back: it comes along from there, the session does not. */
type Kind = "session" | "login";

/** Through the proxy that serves the public address, whichever host it names. */
export function isFromOutside(context: Context, { publicUrl }: Reached): boolean {
  if (publicUrl === undefined) return false;
  const { host } = new URL(publicUrl);
  return (
    context.req.header("host")?.toLowerCase() === host ||
    ["x-forwarded-for", "x-forwarded-host", "forwarded"].some(
      (name) => context.req.header(name) !== undefined,
    )
  );
}

function nameOf(context: Context, reached: Reached, kind: Kind): string {
  const name = kind === "session" ? "forgehand" : "forgehand-login";
  if (isSecure(context, reached)) return `__Host-${name}`;
  const port = /:(\d+)$/u.exec(context.req.header("host") ?? "")?.[1] ?? "80";
  return `${name}-${port}`;
}
const isSecure = (context: Context, reached: Reached): boolean =>
  isFromOutside(context, reached) && reached.publicUrl?.startsWith("https:") === true;

export const cookieIn = (context: Context, reached: Reached, kind: Kind): string | undefined =>
  getCookie(context, nameOf(context, reached, kind));

export function giveCookie(
  context: Context,
  reached: Reached,
  { kind, value, lifeMs }: { readonly kind: Kind; readonly value: string; readonly lifeMs: number },
): void {
  setCookie(context, nameOf(context, reached, kind), value, {
    httpOnly: true,
    secure: isSecure(context, reached),
    sameSite: kind === "session" ? "Strict" : "Lax",
    path: "/",
    maxAge: Math.floor(lifeMs / 1_000),
  });
}

export const takeCookie = (context: Context, reached: Reached, kind: Kind): void =>
  void deleteCookie(context, nameOf(context, reached, kind), {
    path: "/",
    secure: isSecure(context, reached),
  });
