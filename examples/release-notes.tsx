/**
 * Writes release notes from the commits since the last tag, has you approve them, and puts them into the changelog.
 *
 *   forgehand workflow run examples/release-notes.tsx --input '{"version":"1.4.0"}'
 *
 * It shows you each draft and waits: `forgehand approve RUN`, or `forgehand deny RUN --note "shorter"` for another one.
 * The approval is bound to the draft it was given for. Only then CHANGELOG.md changes; nothing is committed.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  Approval,
  ApprovalAnswer,
  leaf,
  Loop,
  quoted,
  runCommand,
  Sequence,
  shell,
  Task,
  workflow,
} from "forgehand";
import { z } from "zod";

const commits = leaf(
  "commits",
  z.object({ since: z.string().optional(), head: z.string(), count: z.number(), log: z.string() }),
);
const draft = leaf("draft", z.string().min(1));
const publish = leaf("publish", ApprovalAnswer);
const file = leaf("write", z.string());

/** The changelog with a section more, under its title; unchanged when it has the section already. */
function withSection(changelog: string, heading: string, notes: string): string {
  if (changelog.split("\n").includes(heading)) return changelog;
  const [, title = "# Changelog\n", rest = ""] = /^(# [^\n]*\n)?([\s\S]*)$/u.exec(changelog) ?? [];
  return `${title}\n${heading}\n\n${notes.trim()}\n${rest.trim() === "" ? "" : `\n${rest.trimStart()}`}`;
}

export default workflow({
  name: "release-notes",
  input: z.object({
    version: z
      .string()
      .regex(/^[\w.+-]+$/u)
      .describe("heading of the new section"),
    since: z
      .string()
      .regex(/^[\w][\w./+-]*$/u)
      .optional()
      .describe("a tag or commit; unless said, the newest tag"),
    changelog: z.string().default("CHANGELOG.md"),
    drafts: z.number().int().min(1).max(20).default(5),
    who: z
      .array(z.string())
      .min(1)
      .optional()
      .describe("who may approve; anybody at this host when left out"),
    agent: z.string().default("claude-code"),
  }),
  output: z.object({ file: z.string(), notes: z.string(), commits: z.number(), drafts: z.number() }),
  render: (ctx) => {
    const { version, changelog, agent, who } = ctx.input;
    const found = ctx.latest(commits);
    const answer = ctx.latest(publish);
    return (
      <Sequence>
        <Task
          {...commits}
          retries={0}
          perform={async (step) => {
            const tag = await runCommand(step, "git describe --tags --abbrev=0", "accept");
            const since = ctx.input.since ?? (tag.exit === 0 ? tag.stdout.trim() : undefined);
            const range = since === undefined ? "HEAD" : `${since}..HEAD`;
            const { stdout } = await runCommand(
              step,
              shell`git log --no-merges ${"--format=%h %s%n%w(0,4,4)%b"} ${range} --`,
            );
            const head = await runCommand(step, "git rev-parse --short HEAD");
            const count = await runCommand(step, shell`git rev-list --no-merges --count ${range} --`);
            if (count.stdout.trim() === "0")
              throw new Error(`there is no commit in ${range}: nothing to tell`);
            return { since, head: head.stdout.trim(), count: Number(count.stdout), log: stdout };
          }}
        />
        <Loop id="until-approved" max={ctx.input.drafts} until={answer?.decision === "approved"}>
          <Task
            {...draft}
            agent={agent}
            access="read"
            continues={draft}
            prompt={`Write the release notes of version ${version} in Markdown, for people who use this project and do not read its code.
Group them under "### Added", "### Changed" and "### Fixed", leaving out empty groups; what breaks comes first and says
what to do. One line for each change that a user notices, in plain words, present tense; leave out what only developers notice.
Where a message is unclear look at the commit itself (\`git show\`). Invent nothing, and answer with the notes alone, without a
heading for the version.
${answer?.decision === "denied" ? `\n${quoted("Your last draft", ctx.latest(draft) ?? "")}\nIt was not approved. What is wanted instead: ${answer.note === "" ? "no reason was given; look for what is unclear or wrong" : answer.note}\n` : ""}
${quoted(`The ${found?.count ?? 0} commits ${found?.since === undefined ? "so far" : `since ${found.since}`}`, found?.log ?? "", 60_000)}`}
          />
          <Approval
            id={publish.id}
            ask={`Put these notes for ${version} into ${changelog}?\n\n${ctx.latest(draft) ?? ""}`}
            {...(who && { who })}
            about={ctx.digest(commits, draft)}
          />
        </Loop>
        <Task
          {...file}
          writes
          perform={({ folder }) => {
            const path = join(folder, changelog);
            const now = existsSync(path) ? readFileSync(path, "utf8") : "";
            writeFileSync(`${path}.new`, withSection(now, `## ${version}`, ctx.output(draft)));
            renameSync(`${path}.new`, path);
            return changelog;
          }}
        />
      </Sequence>
    );
  },
  result: (ctx) => ({
    file: ctx.output(file),
    notes: ctx.output(draft),
    commits: ctx.output(commits).count,
    drafts: ctx.history(draft).length,
  }),
});
