/** What keeps a repository of this host from being worked with; a part of the catalogue in `problems.ts`. */
export const localProblems = {
  "local-no-repository": {
    exit: "usage",
    what: "{path} is in no git repository.",
    why: "Without a GitHub App, tickets belong to the repository you stand in.",
    do: "Go into one, or make one: `git init && git add -A && git commit -m 'First commit'`. `forgehand demo` works without.",
  },
  "local-bare": {
    exit: "usage",
    what: "{path} is a bare repository, or the inside of a `.git`.",
    why: "Tickets are worked on beside a checkout that you can look at.",
    do: "Go into a checkout of it, or make one: `git clone {path}`.",
  },
  "local-empty": {
    exit: "usage",
    what: "The repository {path} has no commit yet.",
    why: "A ticket's branch grows from the newest commit of its base.",
    do: "Make one first: `git add -A && git commit -m 'First commit'`.",
  },
  "local-unfit": {
    exit: "usage",
    what: "The repository {path} {why}.",
    why: "Agents work in a worktree of their own, which needs all of the history in the usual format.",
    do: "{fix}",
  },
  "local-no-base": {
    exit: "usage",
    what: "{why}",
    why: "Every ticket grows from one base branch and is merged into it.",
    do: "Name it: `forgehand run --base BRANCH …`. Branches here: {known}.",
  },
  "local-base-in-use": {
    exit: "usage",
    what: "Tickets are open on the base {base}: {tickets}.",
    why: "What was reviewed against one base says little about another.",
    do: "Finish them or end them (`forgehand ticket close NUMBER`), then name the new base again.",
  },
  "local-read-only": {
    exit: "permission",
    what: "Nothing can be kept below {path}: {why}.",
    why: "The database, the agents' worktrees and the tickets of this repository lie there.",
    do: "Make it writable for this user, or name another folder: FORGEHAND_DATA_DIR=/some/folder.",
  },
  "local-no-agent": {
    exit: "usage",
    what: "No coding agent is here. {looked}",
    why: "forgehand writes no code itself: agents do, and it checks them.",
    do: "Install one (`npm install -g @anthropic-ai/claude-code`, `npm install -g @openai/codex`) and log in to it, or list yours in agents.yml (docs/agents.md).",
  },
  "local-one-family": {
    exit: "usage",
    what: "Only {family} models are here ({names}).",
    why: "What one family builds, another must review; without that the ticket stops before its merge, and the review is yours.",
    do: "Install an agent of another family. Or say `--unreviewed`: it is built, and you read it and merge its branch yourself with `git merge`.",
  },
} as const;
