/** Verbs that mean the same for tickets and runs; each asks what was named and does its part. */
import { exitCodes } from "../problems.ts";
import { named, type NameOptions } from "./named.ts";
import { Failure, type Answer } from "./output.ts";

type Options = NameOptions & { readonly json?: true | undefined };

/** The whole story of a ticket or a run. */
export async function inspect(
  name: string,
  options: Options & { readonly task?: string | undefined },
): Promise<Answer> {
  const it = await named(name, options);
  return it.is === "ticket"
    ? await (await import("./inspect.ts")).inspect(it.ticket, it)
    : await (await import("./workflow.ts")).inspect(it.run, { task: options.task ?? it.leaf, ...it });
}

/** What a ticket or a run waits for, since when, what comes by itself and what to type. */
export async function why(name: string, options: Options): Promise<Answer> {
  const it = await named(name, options);
  return it.is === "ticket"
    ? await (await import("./explain.ts")).explain(it.ticket, it)
    : await (await import("./workflow-why.ts")).why(it.run, it);
}

/** What is said, as lines. */
export async function logs(
  name: string,
  options: Options & { readonly follow?: boolean | undefined; readonly raw?: boolean | undefined },
): Promise<void> {
  const it = await named(name, options);
  const how = { ...it, follow: options.follow, raw: options.raw, json: options.json };
  if (it.is === "ticket") await (await import("./logs.ts")).logs(it.ticket, how);
  else await (await import("./workflow-logs.ts")).logs(it.run, how);
}

/** Consents to a ticket's pull request, or to what a run asks. */
export async function decide(
  decision: "approved" | "denied",
  name: string,
  leaf: string | undefined,
  options: Options & { readonly note: string },
): Promise<Answer> {
  const it = await named(name, options);
  if (it.is === "run") {
    const { answer } = await import("./workflow.ts");
    return await answer(it.run, leaf ?? it.leaf, { decision, note: options.note }, it);
  }
  if (decision === "approved") return await (await import("./local-decide.ts")).approve(it.ticket, leaf, it);
  throw new Failure(
    exitCodes.usage,
    `${it.ticket} is a ticket: ask for changes with \`forgehand reject ${it.ticket} "why"\` or a review on its pull request, or end the work with \`forgehand stop ${it.ticket}\``,
  );
}

/** Asks for changes to what a ticket has built, in words that the next build reads. */
export async function reject(name: string, why: string, options: Options): Promise<Answer> {
  const it = await named(name, options);
  if (it.is === "ticket") return await (await import("./act.ts")).act("reject", it.ticket, it, why);
  throw new Failure(
    exitCodes.usage,
    `${it.run} is a run: \`forgehand deny ${it.run}\` denies what it waits for`,
  );
}

/** Ends the work on a ticket, or a run. */
export async function end(name: string, options: Options): Promise<Answer> {
  const it = await named(name, options);
  return it.is === "ticket"
    ? await (await import("./act.ts")).act("stop", it.ticket, it)
    : await (await import("./workflow.ts")).cancel(it.run, it);
}

/** Allows a ticket more money. */
export async function raise(name: string, dollars: string, options: Options): Promise<Answer> {
  const it = await named(name, options);
  if (it.is === "ticket") return await (await import("./act.ts")).raise(it.ticket, dollars, it);
  throw new Failure(
    exitCodes.usage,
    `${it.run} is a run; what its tasks may spend stands in its file (\`usd\`), and \`forgehand retry ${it.run}\` tries again`,
  );
}

/** Resets a blocked ticket, or lets a failed task of a run be tried again. */
export async function retry(name: string, task: string | undefined, options: Options): Promise<Answer> {
  const it = await named(name, options);
  return it.is === "ticket"
    ? await (await import("./act.ts")).act("retry", it.ticket, it)
    : await (await import("./workflow-retry.ts")).retry(it.run, task, it);
}

/** What only runs have, by whatever name. */
export async function runOnly(
  name: string,
  options: Options,
  work: (
    run: string,
    at: { readonly database: string; readonly leaf: string | undefined },
  ) => Promise<Answer>,
): Promise<Answer> {
  const it = await named(name, options);
  if (it.is === "run") return await work(it.run, it);
  throw new Failure(
    exitCodes.usage,
    `${it.ticket} is a ticket; its runs are listed by \`forgehand inspect ${it.ticket}\``,
  );
}
