import type { z } from "zod";
import { Trouble } from "../../ports.ts";
import type { Clock, Key } from "../../ports.ts";
import type { LinearSelf } from "../../ports-linear-issues.ts";
import type { LinearAccess, LinearTokens } from "../../ports-linear.ts";
import { linearTicketId, type LinearIssueRef } from "../../state-machine/ticket-id.ts";
import { linearBudget, type LinearBudget } from "./budget.ts";
import { viewerQuery, type LinearDocument } from "./documents.ts";
import { isLinearError, linearClient } from "./sdk.ts";
import { asLinearTrouble, headersOf, isRefusedToken } from "./trouble.ts";

/** Ids of what we once wrote, kept over restarts. Losing one costs a search, never a second comment. */
export interface LinearMemory {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
}
export interface LinearOptions {
  readonly tokens: Pick<LinearTokens, "accessToken" | "replace">;
  /** `https://api.linear.app/graphql` unless told otherwise. */
  readonly apiUrl?: string | undefined;
  readonly clock: Pick<Clock, "now">;
  readonly remember: LinearMemory;
  /** Takes secrets out of everything we say. */
  readonly scrub: (text: string) => string;
  /** Told what a workspace still answers, after each answer. */
  readonly heard?: ((workspace: string, levels: ReturnType<LinearBudget["levels"]>) => void) | undefined;
  /** Told before each write; throwing forbids it. */
  readonly onWrite?:
    | ((write: {
        readonly key: Key;
        readonly ref: string;
        readonly operation: string;
      }) => void | Promise<void>)
    | undefined;
}
/** The connection to Linear that the parts of its adapter share. */
export interface LinearApi {
  readonly memory: LinearMemory;
  readonly scrub: (text: string) => string;
  readonly now: () => number;
  /** Asks one document and reads the answer. Whatever fails is thrown as the SDK has it: `within` makes Trouble of it. */
  ask<Answer extends z.ZodType>(
    workspace: string,
    document: LinearDocument<Answer>,
    variables: Readonly<Record<string, unknown>>,
    kind?: "scan" | "work",
  ): Promise<z.output<Answer>>;
  identity(workspace: string): Promise<LinearSelf>;
  /** Whatever fails within is Trouble. */
  within<Result>(doing: string, workspace: string, work: () => Promise<Result>): Promise<Result>;
  /** Announces a write just before it is made. */
  writing(key: Key, operation: string, issue: LinearIssueRef): Promise<void>;
}

/** How long an answer may take; left to itself, a connection that hangs would hold up its whole lane. */
const patienceMs = 60_000;
/** How soon to ask again whether somebody has signed in; that asks the database, and nobody at Linear. */
const signInLookMs = 15_000;

/** Opens the connection. Nothing is sent yet. */
export function openLinear(options: LinearOptions): LinearApi {
  const { tokens, clock } = options;
  const budgets = new Map<string, LinearBudget>();
  const identities = new Map<string, Promise<LinearSelf>>();
  const send = sender(options);
  const budgetOf = (workspace: string): LinearBudget => {
    const budget = budgets.get(workspace) ?? linearBudget();
    budgets.set(workspace, budget);
    return budget;
  };

  const ask: LinearApi["ask"] = async (workspace, document, variables, kind = "work") => {
    const budget = budgetOf(workspace);
    const until = budget.waitUntil(kind, budget.costOf(document.name), clock.now());
    if (until !== undefined)
      throw new Trouble(
        "linear-rate-limited",
        `Workspace ${workspace} has spent its budget at Linear for now; it fills up by itself.`,
        { retryAt: until },
      );
    const note = (headers: Headers | undefined): void => {
      budget.heard(headers, clock.now());
      budget.spent(document.name, headers);
      options.heard?.(workspace, budget.levels());
    };
    const first = granted(await tokens.accessToken(workspace), clock.now());
    const answer = await send(first, document.text, variables)
      .catch(async (error: unknown) => {
        note(headersOf(error));
        if (!isRefusedToken(error)) throw error;
        // Whatever token comes next may be another account's.
        identities.delete(workspace);
        // Nothing was done without a token that counts, so asking once more does nothing twice.
        const fresh = granted(await tokens.replace(workspace, first.token), clock.now());
        if (fresh.token === first.token) throw error;
        return await send(fresh, document.text, variables);
      })
      .catch((error: unknown) => {
        note(headersOf(error));
        throw error;
      });
    note(answer.headers);
    const parsed = document.answer.safeParse(answer.data);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new Trouble(
      "linear-odd",
      `Linear answered ${document.name} in workspace ${workspace} otherwise than agreed: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}.`,
    );
  };

  const within: LinearApi["within"] = async (doing, workspace, work) => {
    try {
      return await work();
    } catch (error) {
      throw asLinearTrouble(error, { doing, workspace, now: clock.now(), scrub: options.scrub });
    }
  };

  const readIdentity = async (workspace: string): Promise<LinearSelf> => {
    const { viewer, organization } = await ask(workspace, viewerQuery, {});
    // Tokens mixed up would write one tenant's words into another's board.
    if (organization.id !== workspace)
      throw new Trouble(
        "linear-wrong-workspace",
        `The token kept for workspace ${workspace} is one of workspace ${organization.id}. Run \`forgehand auth linear\` for each of them again.`,
        { permanent: true },
      );
    return { id: viewer.id, app: viewer.app, workspace, urlKey: organization.urlKey };
  };

  return {
    memory: options.remember,
    scrub: options.scrub,
    now: () => clock.now(),
    ask,
    within,
    identity: (workspace) => {
      const known = identities.get(workspace);
      if (known !== undefined) return known;
      const read = readIdentity(workspace);
      identities.set(workspace, read);
      // A failed look must not be remembered as the answer.
      read.catch(() => {
        if (identities.get(workspace) === read) identities.delete(workspace);
      });
      return read;
    },
    writing: async (key, operation, issue) => {
      await options.onWrite?.({ key, ref: linearTicketId(issue), operation });
    },
  };
}

type Granted = Extract<LinearAccess, { is: "granted" }>;

/** Who is signed out waits for a person; what was to be said waits with them. */
function granted(access: LinearAccess, now: number): Granted {
  if (access.is === "granted") return access;
  throw new Trouble(
    "linear-auth",
    `forgehand is signed out of Linear's workspace ${access.name}: ${access.why}. To resume: ${access.fix}.`,
    { retryAt: now + signInLookMs },
  );
}

const sender =
  ({ apiUrl, scrub }: Pick<LinearOptions, "apiUrl" | "scrub">) =>
  async ({ token, as }: Granted, text: string, variables: Readonly<Record<string, unknown>>) => {
    const options = {
      ...(as === "person" ? { apiKey: token } : { accessToken: token }),
      ...(apiUrl === undefined ? {} : { apiUrl }),
      signal: AbortSignal.timeout(patienceMs),
    };
    try {
      const sdk = await linearClient(options);
      return await sdk.client.rawRequest<unknown, Record<string, unknown>>(text, variables);
    } catch (error) {
      // The SDK words what Linear says; a connection that was refused or dropped comes as `fetch` threw it.
      if (isLinearError(error)) throw error;
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      // Whole first: what is cut in the middle is no credential by its looks any more.
      const why = scrub(cause instanceof Error ? cause.message : String(cause)).slice(0, 300);
      throw new Trouble("linear-unavailable", `Linear gave no answer: ${why}.`, { cause: new Error(why) });
    }
  };
