import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AgentSays } from "../ports-agents.ts";
import { failed, type RuntimeFacts } from "./agents/failure.ts";

interface PrivateFile {
  readonly path: string;
  remove(): Promise<void>;
}

/** A file for one process: outside the worktree, in a folder that only this user can open. */
async function privateFile(folder: string, name: string, text: string): Promise<PrivateFile> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await removeLeft(folder, name);
  const own = await mkdtemp(join(folder, `${name}-${process.pid}-`));
  const path = join(own, `${name}.json`);
  await writeFile(path, text, { mode: 0o600 });
  return { path, remove: () => rm(own, { recursive: true, force: true }) };
}

/** Such a file may hold secrets, and a process that was killed took none of its own away. */
async function removeLeft(folder: string, name: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    const pid = entry.startsWith(`${name}-`) ? /^(\d+)-/u.exec(entry.slice(name.length + 1))?.[1] : undefined;
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(join(folder, entry), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Lets an order run with such a file beside it, if it needs one, and takes it away again, however the order ends. */
export async function* withPrivateFile(
  wanted: { readonly folder: string; readonly name: string; readonly text: string | undefined },
  runtime: RuntimeFacts,
  run: (path: string | undefined) => AsyncIterable<AgentSays>,
): AsyncGenerator<AgentSays> {
  const { folder, name, text } = wanted;
  let file: PrivateFile | undefined;
  try {
    file = text === undefined ? undefined : await privateFile(folder, name, text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const why = `the ${name} for ${runtime.title} could not be written below ${folder}: ${reason}`;
    yield { type: "result", outcome: failed("retry", "agent-failed", why) };
    return;
  }
  try {
    yield* run(file?.path);
  } finally {
    await file?.remove();
  }
}
