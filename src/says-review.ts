/** What is said of a round on the pull request: what is new at its lines, what is over struck through where it stood. */
import { block, quoted, reviewBody, short, type FindingView, type RoundView } from "./says.ts";

/** A comment to be written at a line. */
interface Inline {
  readonly path: string;
  readonly line: number;
  readonly body: string;
  readonly id?: string | undefined;
}
/** A comment that is there and says something else by now. */
interface Changed {
  readonly id: string;
  readonly body: string;
  readonly thread: "resolved" | "open";
}
export interface PostedReview {
  readonly body: string;
  readonly inline: readonly Inline[];
  readonly changed: readonly Changed[];
}

/** Of what a command wrote, its end is shown. */
const shownChars = 1_500;

/** What to post of a round, by the rounds before it: only what is new, and what changed of the rest. */
export function postedReview(
  round: RoundView,
  before: readonly RoundView[],
  maxInline: number,
): PostedReview {
  const known = new Map(
    before.flatMap(({ findings }) =>
      findings.flatMap((one) => (one.id === undefined ? [] : [[one.id, one] as const])),
    ),
  );
  const fresh = round.findings.filter(({ id }) => id === undefined || !known.has(id));
  const inline: Inline[] = [];
  const rest: FindingView[] = [];
  for (const finding of fresh) {
    const { path, line, id } = finding;
    if (path === undefined || line === undefined || inline.length >= maxInline) rest.push(finding);
    else inline.push({ path, line, body: findingText(finding), id });
  }
  const over = (round.earlier ?? []).filter(({ is }) => is !== "open");
  const trimmed = round.findings.filter(
    ({ id, is }) => is === "dropped" && id !== undefined && known.has(id),
  );
  const back = round.findings.filter(({ id, is }) => is === "reopened" && id !== undefined && known.has(id));
  return {
    body: [
      reviewBody(round),
      ...history(round, known),
      ...rest.map(findingText),
      ...back.map((finding) => `Came back: ${findingText(finding)}`),
    ].join("\n\n"),
    inline,
    changed: [
      ...over.flatMap(({ id, is, why }) => {
        const finding = known.get(id);
        return finding === undefined ? [] : [closed(id, finding, is, why, round)];
      }),
      ...trimmed.flatMap((finding) =>
        finding.id === undefined ? [] : [closed(finding.id, finding, "dropped", "", round)],
      ),
      ...back.flatMap((finding) =>
        finding.id === undefined
          ? []
          : [
              {
                id: finding.id,
                body: `${findingText(finding)}\n\nIt was fixed, and came back at \`${short(round.head)}\` (round ${round.number}).`,
                thread: "open" as const,
              },
            ],
      ),
    ],
  };
}

function closed(
  id: string,
  finding: FindingView,
  is: "fixed" | "open" | "dropped",
  why: string,
  round: RoundView,
): Changed {
  const how = is === "fixed" ? "fixed" : "taken out of scope by the mediator";
  return {
    id,
    body: [
      `~~**${finding.grade}**: ${unstruck(quoted(finding.title))}~~ ${how} at \`${short(round.head)}\` (round ${round.number})${why === "" ? "" : `: ${quoted(why)}`}`,
      ...(finding.body.trim() === "" ? [] : [block(finding.body, 2_000)]),
    ].join("\n\n"),
    thread: "resolved",
  };
}

/** What is known of earlier findings, each by its name. */
function history(round: RoundView, known: ReadonlyMap<string, FindingView>): readonly string[] {
  const title = (id: string): string => quoted(known.get(id)?.title ?? id, 120);
  const earlier = round.earlier ?? [];
  const again = round.findings.filter(({ id, is }) => id !== undefined && known.has(id) && is !== "reopened");
  const lines = [
    ...earlier.filter(({ is }) => is === "fixed").map(({ id }) => `- ~~${unstruck(title(id))}~~ fixed`),
    ...earlier
      .filter(({ is }) => is === "dropped")
      .map(({ id }) => `- ~~${unstruck(title(id))}~~ out of scope`),
    ...earlier
      .filter(({ is }) => is === "open")
      .map(({ id, why }) => `- still open: ${title(id)} (${quoted(why, 200)})`),
    ...again.map(({ id = "", is }) => `- ${is === "dropped" ? "out of scope" : "still open"}: ${title(id)}`),
  ];
  return lines.length === 0 ? [] : [["Of earlier rounds:", "", ...lines].join("\n")];
}

/** Two tildes within would end the striking. */
const unstruck = (text: string): string => text.replace(/~/gu, "\\~");

/** One finding, with how late it came and what a command showed. */
export function findingText(finding: FindingView): string {
  const { grade, title, body, is, evidence, by } = finding;
  return [
    `**${grade}**: ${quoted(title)}${by === undefined || by.length === 0 ? "" : ` (${by.map((one) => quoted(one, 60)).join(", ")})`}`,
    block(body, 2_000),
    ...(is !== "late"
      ? []
      : [
          evidence?.shows === "the finding"
            ? "Raised late, on code that had not changed; a command shows it:"
            : "Raised late, on code that had not changed since the last round: it is on record and holds nothing back.",
        ]),
    ...(evidence === undefined
      ? []
      : [
          block(
            `$ ${evidence.command}\n${evidence.output.slice(-shownChars)}\n(ended with ${evidence.exit ?? "a signal"}: it shows ${evidence.shows})`,
          ),
        ]),
  ].join("\n\n");
}
