/** Puts a ticket's head on its base: the commit is made aside, and the branch moves in one step or not at all. */
import type { MergeMessage, Merged, Refused } from "../../ports.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import type { PersonGit } from "./person-git.ts";
import type { LocalRefs } from "./refs.ts";
import type { PullRecord, Records } from "./records.ts";

export interface MergeParts {
  readonly refs: LocalRefs;
  readonly records: Records;
  readonly person: PersonGit;
  /** Whose name the commit bears where the person gave none. */
  readonly author: { readonly name: string; readonly email: string };
  readonly gitDir: string;
}

const refuse = (how: Refused["how"], why: string): Refused => ({ is: "refused", how, why });

/** Merges exactly this head. What was begun before is looked for first, so repeating it merges once. */
export async function mergeLocally(
  parts: MergeParts,
  number: number,
  head: Sha,
  message: MergeMessage,
): Promise<Merged | Refused> {
  const { refs, records } = parts;
  const pull = records.pull(number);
  if (pull === undefined) return refuse("policy", `There is no pull request ${number}.`);
  if (pull.merged !== undefined) return { is: "merged", merge: pull.merged };
  if (!pull.open) return refuse("policy", "The pull request is closed.");
  const [now, tip] = [await refs.tip(pull.branch), await refs.tip(pull.base)];
  if (now !== head) return refuse("moved", `${pull.branch} is at ${now ?? "nothing"}, not ${head}.`);
  if (tip === undefined) return refuse("policy", `There is no branch ${pull.base} any more.`);
  const begun = pull.merging;
  if (begun?.head === head && (await refs.contains(tip, begun.commit)))
    return done(records, pull, head, begun.commit);
  if (await refs.contains(tip, head)) return done(records, pull, head, tip);
  const commit = await commitFor(parts, { pull, head, tip, message });
  if (typeof commit !== "string") return commit;
  records.keep({ ...(records.pull(number) ?? pull), merging: { head, commit } });
  const moved = await moveBase(parts, { branch: pull.base, from: tip, to: commit });
  return moved === "moved" ? done(records, pull, head, commit) : moved;
}

function done(records: Records, pull: PullRecord, head: Sha, merge: Sha): Merged {
  const { merging: _, ...rest } = records.pull(pull.number) ?? pull;
  records.keep({ ...rest, head, merged: merge, open: false });
  return { is: "merged", merge };
}

/** The commit that the base would stand on; one made by a try that a crash cut short, where it still fits. */
async function commitFor(
  { refs, person, author, gitDir }: MergeParts,
  {
    pull,
    head,
    tip,
    message,
  }: { readonly pull: PullRecord; readonly head: Sha; readonly tip: Sha; readonly message: MergeMessage },
): Promise<Sha | Refused> {
  const before = pull.merging?.head === head ? await refs.commit(pull.merging.commit) : undefined;
  if (pull.merging !== undefined && before?.parents[0] === tip) return pull.merging.commit;
  const merged = await refs.merged(tip, head);
  if ("files" in merged) {
    const shown = merged.files.slice(0, 20).join(", ");
    return refuse("conflict", `${pull.branch} and ${pull.base} both changed ${shown}.`);
  }
  const parents = message.method === "merge" ? [tip, head] : [tip];
  const by = await personIn(person, gitDir, author);
  const text = `${message.title.trim()}\n\n${message.body.trim().replaceAll(/\n{3,}/gu, "\n\n")}\n`;
  return await refs.make({ tree: merged.tree, parents, message: text, by });
}

/** As the person's own settings name them. */
async function personIn(
  person: PersonGit,
  gitDir: string,
  author: MergeParts["author"],
): Promise<MergeParts["author"]> {
  const [name, email] = await Promise.all(
    ["user.name", "user.email"].map((key) => person(gitDir, "config", "--get", key)),
  );
  const [ownName, ownEmail] = [name?.out.trim() ?? "", email?.out.trim() ?? ""];
  return ownName === "" || ownEmail === "" ? author : { name: ownName, email: ownEmail };
}

interface Move {
  readonly branch: string;
  readonly from: Sha;
  readonly to: Sha;
}

async function moveBase(
  { refs, person }: MergeParts,
  { branch, from, to }: Move,
): Promise<"moved" | Refused> {
  const busy = refs.busyWith(branch);
  if (busy !== undefined)
    return refuse(
      "pending",
      `You are in the middle of a ${busy} of ${branch}; end it, and the merge goes on by itself.`,
    );
  const checkout = await refs.checkoutOf(branch);
  if (checkout === undefined) {
    try {
      await refs.git(undefined, "update-ref", "-m", "forgehand: merge", `refs/heads/${branch}`, to, from);
      return "moved";
    } catch (error) {
      if ((await refs.tip(branch)) !== from) return refuse("pending", `${branch} moved meanwhile.`);
      throw error;
    }
  }
  const said = await person(checkout, "merge", ...followOnly, to);
  if ((await refs.tip(branch)) === to) return "moved";
  if (said.ok) return refuse("pending", `${branch} is checked out in ${checkout} no more.`);
  return refuse("pending", await inTheWay(person, { checkout, branch, said: said.err }));
}

/** Of what is not committed nothing is overwritten, be it ignored, and no setting of theirs makes another merge of it. */
const followOnly = [
  "--ff-only",
  "--no-overwrite-ignore",
  "--no-squash",
  "--no-autostash",
  "--no-stat",
  "--quiet",
];

/** What keeps git from it, in its own words, and what to type. */
async function inTheWay(
  person: PersonGit,
  { checkout, branch, said }: { readonly checkout: string; readonly branch: string; readonly said: string },
): Promise<string> {
  const files = [...said.matchAll(/^\t(.+)$/gmu)].map(([, file = ""]) => file).slice(0, 10);
  if (files.length > 0) {
    const ignored = (await person(checkout, "check-ignore", "--", ...files)).out.trim();
    // A stash leaves where they are what git ignores.
    const away =
      ignored === ""
        ? `Put them away: git -C ${checkout} stash -u (or commit them)`
        : `Git ignores ${ignored.split("\n").join(", ")}: move that out of the checkout`;
    return `your checkout ${checkout} has changes of yours in ${files.join(", ")}, which the merge into ${branch} would overwrite. ${away}; the merge goes on by itself`;
  }
  const why = said.replaceAll(/\s+/gu, " ").trim().slice(0, 500);
  return `git does not let ${branch} move in ${checkout}: ${why}. Put that right there; the merge goes on by itself`;
}
