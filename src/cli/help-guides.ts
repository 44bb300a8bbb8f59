import { labels, runtimePrefix, workflowPrefix, type LabelNeeds } from "../../bootstrap/labels.ts";

const setBy: Readonly<Record<LabelNeeds, string>> = {
  triage: "people with triage",
  write: "people with write",
  forgehand: "forgehand itself",
};

/** Topics in prose: what a person wants to know before the first command, a screen each. */
export const guides = {
  "getting-started": () => `\
1  See it, without an account:
     forgehand demo
   One ticket is flagged for its spec, two are built, reviewed and merged, on a simulated forge with scripted agents.

2  In a repository of yours, without an account, with \`claude\` and \`codex\` on the PATH:
     forgehand run "fix the flaky date test"
   A ticket, a worktree, a build, a review by another model family; \`forgehand approve 1\` merges it (\`forgehand help local\`).

3  On GitHub:
     forgehand init          makes a GitHub App of your own in the browser and stores its credentials
     forgehand doctor        what is missing, each with the line to type
     forgehand bootstrap OWNER/REPO    one pull request that prepares a repository; nothing runs before it is merged
     forgehand up            serves; as a service: \`forgehand service install\`
   Then label an issue \`agent-ready\`. \`forgehand ps\` lists what is under way, \`forgehand explain 42\` says what a ticket waits for,
   and \`forgehand open\` leads into the dashboard.

4  On Linear, besides: \`forgehand auth linear\`, then \`forgehand linear setup\` (docs/linear.md).`,

  local: () => `\
In a git repository, with no App, no account and no network but the agents' own:

  forgehand run "fix the flaky date test"   a new ticket, carried until it waits for you
  forgehand ticket new "…"                  a ticket for later; \`forgehand run 3\` releases it
  forgehand ticket ls                       the open ones; \`ticket show 3\` one of them
  forgehand explain 3                       what it waits for, and what you can type
  forgehand approve 3                       merges the reviewed branch into the base
  forgehand retry 3, forgehand stop 3       after a block; to end the work
  forgehand up, forgehand open              serve all of them; the dashboard

Tickets are Markdown files in the state folder, or with --in-repo in .forgehand/tickets. Nothing tracked changes unasked: work
lies in worktrees of forgehand's own, and what reaches your repository is the ticket's branch. The machine is the same as with
GitHub: spec gate, review by another model family, budgets, ledger.`,

  labels: () => {
    const rows = Object.entries(labels).map(
      ([name, label]) => [name, `${label.description} (${setBy[label.setBy]})`] as const,
    );
    const more = [
      [
        `${runtimePrefix}<name>`,
        "Build with this runtime, also one of your own agents file. (people with triage)",
      ],
      [
        `${workflowPrefix}<name>`,
        "Build with this workflow of the operator's own folder. (people with triage)",
      ],
      ["priority/1 … 4", "Who starts next, 1 before 4. (people with triage)"],
    ] as const;
    const all = [...rows, ...more];
    const width = Math.max(...all.map(([name]) => name.length));
    return [
      ...all.map(([name, text]) => `${name.padEnd(width)}  ${text}`),
      "",
      "Whoever sets one is asked for their permission at that moment; without it the label does nothing. A repository may rename",
      "each under `labels:` of its configuration (`forgehand config schema`).",
    ].join("\n");
  },

  sandboxes: () => `\
FORGEHAND_SANDBOX says where agents and a repository's commands run; \`local,codex=bubblewrap\` names one for a runtime.

  local       as your user, on this host: an agent can read what you can read
  bubblewrap  a read-only system, one worktree, processes of its own, and no network but to its model
  docker      a container of FORGEHAND_SANDBOX_IMAGE for each order
  kubernetes  a Job for each order
  ssh         other hosts, FORGEHAND_SSH_HOSTS

FORGEHAND_SANDBOX_NETWORK: model (only the agent's model, through a proxy that adds the key, so that the agent holds none), none,
or open. FORGEHAND_AGENT_MEMORY_MB, _PROCESSES, _DISK_MB and _CPUS limit what an agent takes.

\`forgehand doctor\` says what a sandbox lacks on this host, and what to type. In a container, bubblewrap needs namespaces that the
container's own seccomp profile may refuse (docs/running.md). More: docs/sandboxes.md.`,

  security: () => `\
The operator      is trusted with everything on this host, and nobody else is: a repository's configuration cannot choose
                  programs, sandboxes or credentials.
Write access      is consent to a merge, at exactly one head. Triage access releases and stops work.
Default branch    configuration, hooks and prompts are read from there, at one commit; every other branch is data.
Issue text,       comments, diffs and what agents say are data: cleaned, fenced, quoted; never orders.
Agents            hold no credential of the forge or the tracker, and decide no transition. The host commits and pushes.
The merge         names the reviewed head. No head is merged that no reviewer of another model family passed and no person
                  consented to.
Secrets           are settings, files behind *_FILE, or credentials of systemd; none is logged, put into a unit or handed to an
                  agent. What leaves is scanned.
The ledger        is append-only and chained by hash: \`forgehand ledger verify\`, \`forgehand certificate verify\`.

Without a sandbox an agent runs as your user: \`forgehand help sandboxes\`. The threats, their proofs, and what remains:
docs/security.md.`,

  formats: () => `\
--json      one object {"schema": "ps/2", "data": …, "error": null} on stdout, errors included: error.code, .message and, where there
            is one, .why and .do. The number behind the slash changes only when a field changes its meaning or goes.
stdout      is data, stderr everything else: hints, progress, the log of \`up\` (JSON lines; FORGEHAND_LOG_FILE puts it in a file).
tables      are padded for a terminal, and tab-separated with all their text for a pipe.
colour      NO_COLOR, FORCE_COLOR and TERM=dumb are honoured.
logs        \`forgehand logs 42 --json\` is one object a line; --raw is what the runtime itself said.
review      --format text, json or sarif (SARIF 2.1.0).
exit codes  \`forgehand help exit-codes\`.

  forgehand ps --json | jq -r '.data.tickets[].ticket'
  forgehand ps | cut -f1`,
} as const satisfies Readonly<Record<string, () => string>>;
