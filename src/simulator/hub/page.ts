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

/** One page of a list that GitHub walks by cursor: the id of the first on the next page. */
export function cursorPageOf(context: Context, items: readonly { readonly id: number }[]): Response {
  const size = sizeOf(context);
  const cursor = context.req.query("cursor");
  const found = cursor === undefined ? 0 : items.findIndex(({ id }) => String(id) === cursor);
  const start = found === -1 ? items.length : found;
  const next = items[start + size];
  if (next !== undefined) linkTo(context, "cursor", next.id);
  return context.json(items.slice(start, start + size) as object[]);
}

const sizeOf = (context: Context): number => Math.min(Number(context.req.query("per_page") ?? 30), 100);

function linkTo(context: Context, name: string, value: number): void {
  const next = new URL(context.req.url);
  next.searchParams.set(name, String(value));
  // A client follows the link as it is, so it leads below the address it asked at.
  next.pathname = (context.req.header(prefixHeader) ?? "") + next.pathname;
  context.header("link", `<${next.href}>; rel="next"`);
}

function sliceOf(context: Context, items: readonly unknown[]): readonly unknown[] {
  const size = sizeOf(context);
  const page = Math.max(1, Number(context.req.query("page") ?? 1));
  if (page * size < items.length) linkTo(context, "page", page + 1);
  return items.slice((page - 1) * size, page * size);
}
