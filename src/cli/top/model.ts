/** What `forgehand top` shows and what a key does there: a function from one to the next, with what is then to be done. */
import type { BoardRow, OrderAnswer, OrderName } from "../../ports-dashboard.ts";
import { boardName } from "../../says.ts";

/** A ticket on the screen, with the version that an order is given upon. */
export interface TopRow extends BoardRow {
  readonly version: number;
}
/** Everything, as of one moment. */
export interface TopView {
  readonly rows: readonly TopRow[];
  readonly now: number;
  /** In words: halts, runtimes that are left out, that nobody serves. */
  readonly alarms: readonly string[];
  readonly today: { readonly usd: number; readonly stopUsd: number };
}
export interface TopState {
  /** The ticket under the cursor, by id: rows move. */
  readonly chosen: string | undefined;
  /** Words that rows are sifted by. */
  readonly filter: string;
  /** `asks`: an order that waits for a yes. */
  readonly mode: "board" | "filter" | "logs" | "help" | { readonly asks: OrderName; readonly row: TopRow };
  /** What became of the last order. */
  readonly said: string;
}
export const atFirst: TopState = { chosen: undefined, filter: "", mode: "board", said: "" };

/** What a key press leads to outside. */
export type Intention =
  | { readonly is: "quit" }
  | { readonly is: "order"; readonly order: OrderName; readonly row: TopRow };
export interface Key {
  /** What was typed; empty for the keys below. */
  readonly text: string;
  readonly name: "up" | "down" | "enter" | "escape" | "backspace" | undefined;
}

const orders: Readonly<Record<string, OrderName>> = { a: "approve", s: "stop", r: "retry" };
/** Nobody filters by more. */
const mostFilter = 80;

/** Rows that have all words of the filter. */
export function shownIn(
  { rows }: Pick<TopView, "rows">,
  { filter }: Pick<TopState, "filter">,
): readonly TopRow[] {
  const words = filter.toLowerCase().split(/\s+/u).filter(Boolean);
  return rows.filter((row) => {
    const text = `${row.ref} ${row.title} ${boardName(row.state)} ${row.wait?.waitsFor ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The row under the cursor; the first where that is gone. */
export function chosenIn(view: Pick<TopView, "rows">, state: TopState): TopRow | undefined {
  const rows = shownIn(view, state);
  return rows.find(({ id }) => id === state.chosen) ?? rows[0];
}

type Next = readonly [TopState, Intention?];

export function press(view: TopView, state: TopState, key: Key): Next {
  const { mode } = state;
  if (typeof mode === "object") return answered(state, mode, key);
  if (mode === "filter") return [filtered(state, key)];
  if (mode === "board") return onBoard(view, state, key);
  // Logs and help are left by the keys that close things.
  const isLeft = key.name === "escape" || key.name === "enter" || "qlh?".includes(key.text || " ");
  return isLeft ? [{ ...state, mode: "board" }] : [state];
}

function answered(state: TopState, mode: Extract<TopState["mode"], object>, key: Key): Next {
  const board = { ...state, mode: "board" } as const;
  return key.text.toLowerCase() === "y"
    ? [
        { ...board, said: `${mode.asks} ${mode.row.ref} …` },
        { is: "order", order: mode.asks, row: mode.row },
      ]
    : [{ ...board, said: "not done" }];
}

function filtered(state: TopState, { name, text }: Key): TopState {
  if (name === "escape") return { ...state, filter: "", mode: "board" };
  if (name === "enter") return { ...state, mode: "board" };
  if (name === "backspace") return { ...state, filter: Array.from(state.filter).slice(0, -1).join("") };
  return { ...state, filter: `${state.filter}${text}`.slice(0, mostFilter) };
}

function onBoard(view: TopView, state: TopState, { name, text }: Key): Next {
  const row = chosenIn(view, state);
  if (text === "q" || name === "escape") return [state, { is: "quit" }];
  if (text === "/") return [{ ...state, mode: "filter" }];
  if (text === "?" || text === "h") return [{ ...state, mode: "help" }];
  if (name === "up" || text === "k") return [moved(view, state, -1)];
  if (name === "down" || text === "j") return [moved(view, state, 1)];
  if (row === undefined) return [state];
  if (name === "enter" || text === "l") return [{ ...state, chosen: row.id, mode: "logs" }];
  const asks = Object.hasOwn(orders, text) ? orders[text] : undefined;
  return asks === undefined ? [state] : [{ ...state, chosen: row.id, mode: { asks, row } }];
}

function moved(view: TopView, state: TopState, by: number): TopState {
  const rows = shownIn(view, state);
  const at = Math.max(
    0,
    rows.findIndex(({ id }) => id === state.chosen),
  );
  return { ...state, chosen: rows[Math.min(rows.length - 1, Math.max(0, at + by))]?.id, said: "" };
}

/** As many rows as there is room for, the chosen one among them. */
export function windowOf<Row>(rows: readonly Row[], chosen: number, room: number): readonly Row[] {
  const first = Math.min(Math.max(0, chosen - Math.floor(room / 2)), Math.max(0, rows.length - room));
  return rows.slice(first, first + Math.max(0, room));
}

/** What became of an order, in words. */
export function toldOf(order: OrderName, row: TopRow, answer: OrderAnswer): string {
  switch (answer.is) {
    case "taken":
      return `${row.ref}: ${order}, it goes to ${boardName(answer.to)}`;
    case "stale":
      return `not done: ${row.ref} went on meanwhile and is in ${boardName(answer.state)}; press again if you still want it`;
    case "impossible":
      return `not done: in ${boardName(answer.state)} there is nothing to ${order}`;
    case "forbidden":
    case "unknown":
      return `not done: there is no ${row.ref} any more`;
  }
}
