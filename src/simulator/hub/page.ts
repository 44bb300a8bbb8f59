import type { Context } from "hono";

/** Carries the prefix of the API that the front took off a path. */
export const prefixHeader = "x-simulator-prefix";

/** One page of a list, with the link to the next as GitHub gives it. */
export function pageOf(context: Context, items: readonly unknown[]): Response {
  return context.json(sliceOf(context, items) as object[]);
}

/** The same inside an object, as check runs are listed. */
export function pageIn(context: Context, name: string, items: readonly unknown[]): Response {
  return context.json({ total_count: items.length, [name]: sliceOf(context, items) });
}

function sliceOf(context: Context, items: readonly unknown[]): readonly unknown[] {
  const size = Math.min(Number(context.req.query("per_page") ?? 30), 100);
  const page = Math.max(1, Number(context.req.query("page") ?? 1));
  if (page * size < items.length) {
    const next = new URL(context.req.url);
    next.searchParams.set("page", String(page + 1));
    // A client follows the link as it is, so it leads below the address it asked at.
    next.pathname = (context.req.header(prefixHeader) ?? "") + next.pathname;
    context.header("link", `<${next.href}>; rel="next"`);
  }
  return items.slice((page - 1) * size, page * size);
}
