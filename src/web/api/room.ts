/** The API: every operation at its path, other methods refused by name, everything else not there. */
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { viewerOf } from "../answer.ts";
import { guard, type Door, type Inside } from "../door.ts";
import { isRefusal, judge, maxBodyBytes } from "./judge.ts";
import type { Operation } from "./operation.ts";
import { isBusy, refusalAnswer, refusals, refuse } from "./refusals.ts";

export interface ApiRoomOptions {
  readonly door: Door;
  readonly operations: readonly Operation[];
  /** Told of what failed and is nobody's fault outside. */
  readonly failed: (error: unknown, context: Context) => void;
}

export function apiRoom({ door, operations, failed }: ApiRoomOptions): Hono<Inside> {
  const api = new Hono<Inside>();
  api.onError((error, context) => {
    if (isBusy(error)) return refusalAnswer(context, refuse(503, refusals[503][1]));
    failed(error, context);
    return refusalAnswer(context, refuse(500, refusals[500][1]));
  });
  api.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: (context) =>
        refusalAnswer(context, refuse(413, `at most ${maxBodyBytes} bytes are taken as a body`)),
    }),
  );
  api.use(guard(door, (context, status, why) => refusalAnswer(context, refuse(status, why))));
  // Path by path, so that none of another's methods is taken for an identifier.
  for (const [path, own] of Map.groupBy(operations, ({ path }) => path.replaceAll(/\{(\w+)\}/gu, ":$1"))) {
    for (const operation of own)
      api.on(operation.method, path, async (context) => await answered(context, operation));
    const allow = own.flatMap(({ method }) => (method === "get" ? ["GET", "HEAD"] : ["POST"])).join(", ");
    api.all(path, (context) =>
      refusalAnswer(
        context,
        refuse(405, `${context.req.method} is not possible here, ${allow} is`, { headers: { allow } }),
      ),
    );
  }
  api.all("*", (context) => refusalAnswer(context, refuse(404, "there is no such route")));
  return api;
}

async function answered(context: Context<Inside>, operation: Operation): Promise<Response> {
  const judged = await judge(context, operation);
  if (isRefusal(judged)) return refusalAnswer(context, judged);
  const told = await operation.handle({ ...judged, viewer: viewerOf(context), context });
  if (told instanceof Response) return told;
  if (isRefusal(told)) return refusalAnswer(context, told);
  return context.json(told, operation.answer.status);
}
