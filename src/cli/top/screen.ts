/** `forgehand top` on a terminal: what the model says, drawn with ink. */
import { Box, render, Text, useApp, useInput, useWindowSize } from "ink";
import { createElement as h, useEffect, useRef, useState, type ReactElement } from "react";
import { age, boardName, dollars, waitSentence } from "../../says.ts";
import { oneLine } from "../output.ts";
import {
  atFirst,
  chosenIn,
  press,
  shownIn,
  windowOf,
  type Intention,
  type Key,
  type TopRow,
  type TopState,
  type TopView,
} from "./model.ts";

export interface TopParts {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** As things stand now. */
  readonly look: () => Promise<TopView>;
  /** Calls back whenever something may have changed, until it is told to stop. */
  readonly follow: (changed: () => void) => () => void;
  /** Gives an order and says what became of it. */
  readonly order: (intention: Extract<Intention, { readonly is: "order" }>) => Promise<string>;
  /** The newest lines of what its agents say, oldest first. */
  readonly linesOf: (row: TopRow, most: number) => Promise<readonly string[]>;
}

/** Draws until somebody leaves; rejects with what went wrong. */
export async function showTop(parts: TopParts): Promise<void> {
  const { stdin, stdout } = parts;
  const shown = render(h(Top, parts), { stdin, stdout, patchConsole: false, alternateScreen: true });
  await shown.waitUntilExit();
}

const keysLine = "↑↓ move · Enter logs · a approve · s stop · r retry · / filter · ? help · q leave";
const help = [
  "↑ ↓ j k   from ticket to ticket",
  "Enter l   what its agents say, as they say it; again or Esc to come back",
  "a         approve exactly the head that is shown",
  "s         stop: ends the work, keeps branch and worktree",
  "r         retry: sets the counters to zero and goes on",
  "/         only tickets with these words; Esc takes them away",
  "q Esc     leave",
  "",
  "An order is asked back once, and is refused when the ticket went on while you looked.",
];
/** Lines beside the table: title, alarms' rule, header, detail, said, keys. */
const around = 8;

function Top(parts: TopParts): ReactElement {
  const { exit } = useApp();
  const { rows: height, columns } = useWindowSize();
  const [view, setView] = useState<TopView>();
  const [state, setState] = useState(atFirst);
  const [lines, setLines] = useState<readonly string[]>([]);
  const chosen = view === undefined ? undefined : chosenIn(view, state);
  const room = Math.max(1, height - around - (view?.alarms.length ?? 0));
  const isLogs = state.mode === "logs";

  useEffect(() => {
    let isOver = false;
    const refresh = async (): Promise<void> => {
      try {
        const seen = await parts.look();
        const row = isLogs ? chosenIn(seen, state) : undefined;
        const said = row === undefined ? [] : await parts.linesOf(row, room + 1);
        if (isOver) return;
        setView(seen);
        setLines(said);
      } catch (error) {
        exit(error instanceof Error ? error : new Error(String(error)));
      }
    };
    void refresh();
    const stop = parts.follow(() => void refresh());
    return () => {
      isOver = true;
      stop();
    };
  }, [isLogs, state.chosen, room]);

  const pressed = useRef(state);
  pressed.current = state;
  useInput((typed, how) => {
    if (view === undefined) return;
    // What is typed fast, or pasted, comes in one piece.
    for (const key of keysOf(typed, how)) {
      const [next, intention] = press(view, pressed.current, key);
      pressed.current = next;
      if (intention?.is === "quit") exit();
      if (intention?.is === "order")
        void parts.order(intention).then(
          (said) => setState((now) => ({ ...now, said })),
          (error: unknown) => exit(error instanceof Error ? error : new Error(String(error))),
        );
    }
    setState(pressed.current);
  });

  if (view === undefined) return h(Text, { dimColor: true }, "looking …");
  return h(
    Box,
    { flexDirection: "column", width: columns, height: Math.max(around, height - 1) },
    h(Head, { view }),
    ...view.alarms.map((text) =>
      h(Text, { key: text, color: "red", wrap: "truncate-end" }, `▲ ${oneLine(text)}`),
    ),
    body(state, view, { lines, room }),
    h(Box, { flexGrow: 1 }),
    h(Detail, { row: isLogs ? undefined : chosen }),
    h(Text, { wrap: "truncate-end", color: "yellow" }, oneLine(promptOf(state)) || " "),
    h(Text, { wrap: "truncate-end", dimColor: true }, isLogs ? "Esc back to the board" : keysLine),
  );
}

function keysOf(typed: string, how: Parameters<Parameters<typeof useInput>[0]>[1]): readonly Key[] {
  const name = how.upArrow
    ? "up"
    : how.downArrow
      ? "down"
      : how.return
        ? "enter"
        : how.escape
          ? "escape"
          : how.backspace || how.delete
            ? "backspace"
            : undefined;
  if (name !== undefined) return [{ text: "", name }];
  return how.ctrl || how.meta ? [] : Array.from(typed).flatMap(keyIn);
}

const controls: Readonly<Record<string, Key["name"]>> = {
  "\r": "enter",
  "\n": "enter",
  "\u007f": "backspace",
  "\b": "backspace",
};
/** One character of what came in one piece. */
function keyIn(one: string): readonly Key[] {
  const name = controls[one];
  if (name !== undefined) return [{ text: "", name }];
  return /\p{Cc}/u.test(one) ? [] : [{ text: one, name: undefined }];
}

function promptOf({ mode, filter, said }: TopState): string {
  if (typeof mode === "object") return `${mode.asks} ${mode.row.ref}? y / n`;
  if (mode === "filter") return `filter: ${filter}▏`;
  return filter === "" ? said : `filter: ${filter}${said === "" ? "" : ` · ${said}`}`;
}

function body(
  state: TopState,
  view: TopView,
  { lines, room }: { readonly lines: readonly string[]; readonly room: number },
): ReactElement {
  if (state.mode === "help")
    return h(Box, { flexDirection: "column" }, ...help.map((line) => h(Text, { key: line }, line || " ")));
  if (state.mode === "logs")
    return h(
      Box,
      { flexDirection: "column" },
      h(
        Text,
        { bold: true, wrap: "truncate-end" },
        oneLine(`${chosenIn(view, state)?.ref ?? ""}: what its agents say`),
      ),
      ...(lines.length === 0 ? ["no agent has said anything yet"] : lines)
        .slice(-room)
        .map((line, at) => h(Text, { key: at, wrap: "truncate-end" }, line || " ")),
    );
  return h(Board, { state, view, room });
}

function Head({ view }: { readonly view: TopView }): ReactElement {
  const { rows, today } = view;
  const waiting = rows.filter(({ needsPerson }) => needsPerson).length;
  const open = `${rows.length} open, ${waiting} wait${waiting === 1 ? "s" : ""} for a person`;
  return h(
    Text,
    { wrap: "truncate-end" },
    h(Text, { bold: true }, "forgehand "),
    `${open} · ${dollars(today.usd, false)} of $${today.stopUsd} today`,
  );
}

const widths = { ref: 24, state: 18, round: 6, age: 7, cost: 9 } as const;
const cell = (text: string, width: number): string =>
  (text.length > width - 1 ? `${text.slice(0, width - 2)}…` : text).padEnd(width);

function Board({
  state,
  view,
  room,
}: {
  readonly state: TopState;
  readonly view: TopView;
  readonly room: number;
}): ReactElement {
  const rows = shownIn(view, state);
  const chosen = chosenIn(view, state);
  const line = (row: TopRow): string =>
    [
      row === chosen ? "›" : " ",
      " ",
      cell(oneLine(row.ref), widths.ref),
      cell(boardName(row.state), widths.state),
      cell(`${row.round}/${row.maxRounds}`, widths.round),
      cell(age(Math.max(0, view.now - row.since)), widths.age),
      cell(dollars(row.usd, row.usdIsGuess), widths.cost),
      oneLine(row.title),
    ].join("");
  const header = `  ${cell("TICKET", widths.ref)}${cell("STATE", widths.state)}${cell("ROUND", widths.round)}${cell("AGE", widths.age)}${cell("COST", widths.cost)}TITLE`;
  const empty =
    state.filter === ""
      ? "No open tickets. Label an issue `agent-ready` to make one."
      : "None has these words.";
  const at = chosen === undefined ? 0 : rows.indexOf(chosen);
  return h(
    Box,
    { flexDirection: "column" },
    h(Text, { bold: true, wrap: "truncate-end" }, header),
    rows.length === 0
      ? h(Text, { dimColor: true }, empty)
      : windowOf(rows, at, room).map((row) =>
          h(
            Text,
            { key: row.id, inverse: row === chosen, bold: row.needsPerson, wrap: "truncate-end" },
            line(row),
          ),
        ),
  );
}

function Detail({ row }: { readonly row: TopRow | undefined }): ReactElement {
  return row === undefined
    ? h(Box, {})
    : h(
        Box,
        {
          flexDirection: "column",
          borderStyle: "single",
          borderLeft: false,
          borderRight: false,
          borderBottom: false,
        },
        h(Text, { wrap: "truncate-end" }, oneLine(waitSentence(row.wait))),
        h(
          Text,
          { dimColor: true, wrap: "truncate-end" },
          oneLine((row.wait?.youCan ?? []).map(({ say, do: act }) => `${say}: ${act}`).join(" · ")) || " ",
        ),
      );
}
