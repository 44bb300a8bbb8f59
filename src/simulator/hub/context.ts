import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { Courier } from "./courier.ts";
import type { HubState, SimRepo } from "./state.ts";

/** What every part of the simulated forge works with. */
export interface Hub {
  readonly url: string;
  readonly state: HubState;
  readonly courier: Courier;
  readonly root: string;
  now(): number;
  id(): number;
  repo(owner: string, name: string): SimRepo | undefined;
}
/** Whoever sent a request: the App itself, or one of its installation tokens. */
export interface Caller {
  readonly is: "app" | "installation";
  readonly login: string;
  readonly permissions: Readonly<Record<string, string>> | undefined;
  /** Its token does not reach this. */
  denies(method: string, path: string): boolean;
}
export type Env = { Bindings: HttpBindings; Variables: { caller: Caller; body: unknown } };
export type Ctx = Context<Env>;

export const missing = (context: Ctx): Response => context.json({ message: "Not Found" }, 404);

/** Refuses as GitHub refuses what it understands but will not do. */
export const refuse = (context: Ctx, message: string, status: 405 | 409 | 422 = 422): Response =>
  context.json(
    status === 422
      ? { message: "Validation Failed", errors: [{ message, resource: "PullRequest", code: "custom" }] }
      : { message },
    status,
  );

/** Runs a handler with the repository its path names. */
export const inRepo =
  (hub: Hub, work: (context: Ctx, repo: SimRepo) => Response | Promise<Response>) =>
  (context: Ctx): Response | Promise<Response> => {
    const repo = hub.repo(context.req.param("owner") ?? "", context.req.param("name") ?? "");
    return repo === undefined ? missing(context) : work(context, repo);
  };
