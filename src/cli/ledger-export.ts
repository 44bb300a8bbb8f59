import { open } from "node:fs/promises";
import { ledgerFile } from "../certificate/ledger-file.ts";
import { exitCodes } from "../problems.ts";
import type { LineRow } from "../store/ledger.ts";
import type { Store } from "../store/store.ts";
import { atDesk } from "./database.ts";
import { Failure, terminal, type Answer } from "./output.ts";
import { shellWord } from "./shell-word.ts";

interface Where {
  readonly database?: string | undefined;
}

/** Lines read at once. */
const page = 1_000;

async function* pagesOf(store: Store): AsyncGenerator<readonly LineRow[]> {
  let last = 0;
  for (;;) {
    const rows = await store.rawLines(last, page);
    if (rows.length === 0) return;
    yield rows;
    last = rows.at(-1)?.seq ?? last;
  }
}

/** Writes the whole ledger to stdout, which is JSON already. */
export async function printLedger(options: Where): Promise<void> {
  await atDesk(options, "read", async ({ store }) => {
    for await (const line of ledgerFile(pagesOf(store))) terminal.out(`${line}\n`);
  });
}

/** Writes the whole ledger to a file that only its owner reads. */
export async function writeLedger(path: string, options: Where): Promise<Answer> {
  return await atDesk(options, "read", async ({ store }) => {
    const file = await opened(path);
    let lines = 0;
    try {
      for await (const line of ledgerFile(pagesOf(store))) {
        await file.write(`${line}\n`);
        lines += 1;
      }
    } finally {
      await file.close();
    }
    // The first and the last say only where it begins and ends.
    const data = { file: path, lines: lines - 2 };
    return {
      schema: "ledger-export/1",
      data,
      text: `${data.lines} lines are in ${path}`,
      hint: `forgehand certificate verify CERTIFICATE --clone PATH --ledger ${shellWord(path)}`,
    };
  });
}

async function opened(path: string): ReturnType<typeof open> {
  try {
    return await open(path, "w", 0o600);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(exitCodes.usage, `${path} cannot be written: ${why}`, { cause: error });
  }
}
