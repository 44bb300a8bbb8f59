/** The shapes that clients of Symphony know. */
import { z } from "zod";
import { count, state, ticketId } from "./schemas.ts";

const iso = z.string().meta({ description: "An instant as ISO 8601 has it.", format: "date-time" });
const nowhere = z.null().meta({ description: "Where an agent works is told to nobody." });
const tokens = z.object({ input_tokens: count, output_tokens: count, total_tokens: count });

const identified = { issue_id: ticketId, issue_identifier: z.string(), issue_url: z.string().nullable() };
const place = { worker_host: nowhere, workspace_path: nowhere };
const last = {
  last_event: z.string().nullable(),
  last_message: z.string().nullable(),
  last_event_at: iso.nullable(),
};
const running = z.object({
  state,
  ...place,
  session_id: z.string().nullable(),
  turn_count: count,
  ...last,
  started_at: iso,
  tokens,
});
const retry = z.object({ attempt: count, due_at: iso.nullable(), error: z.string().nullable(), ...place });
const blocked = z.object({
  state,
  error: z.string().nullable(),
  ...place,
  session_id: z.string().nullable(),
  blocked_at: iso,
  ...last,
});

export const stateSummary = z
  .object({
    generated_at: iso,
    counts: z.object({ running: count, retrying: count, blocked: count }),
    running: z.array(running.extend(identified)),
    retrying: z.array(retry.extend(identified)),
    blocked: z.array(blocked.extend(identified)),
    codex_totals: tokens.extend({ seconds_running: z.number() }),
    rate_limits: z.null(),
  })
  .meta({ id: "StateSummary" });

export const issueSummary = z
  .object({
    issue_identifier: z.string(),
    issue_id: ticketId,
    status: z.enum(["running", "retrying", "blocked", "waiting", "done", "cancelled"]),
    workspace: z.object({ path: nowhere, host: nowhere }),
    attempts: z.object({ restart_count: count, current_retry_attempt: count }),
    running: running.nullable(),
    retry: retry.nullable(),
    blocked: blocked.nullable(),
    logs: z.object({ codex_session_logs: z.array(z.never()) }),
    recent_events: z.array(z.object({ at: iso, event: z.string(), message: z.string() })),
    last_error: z.string().nullable(),
    tracked: z.object({
      state,
      version: count,
      pull: z.int().nullable(),
      waits_for: z.string().nullable(),
    }),
  })
  .meta({ id: "IssueSummary" });

export const refreshed = z
  .object({
    queued: z.literal(true),
    coalesced: z.boolean().meta({ description: "It was being done already." }),
    requested_at: iso,
    operations: z.array(z.enum(["poll", "reconcile"])),
  })
  .meta({ id: "Refreshed" });
