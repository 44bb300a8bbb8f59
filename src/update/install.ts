/** Fetches exactly one version, holds it against its pin, and lays it beside the others. Nothing of it runs before that. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { currentVersion, programOf } from "./current.ts";
import { versionPattern } from "./state.ts";

export interface InstallOrder {
  readonly version: string;
  readonly integrity: string;
  /** Where versions lie. */
  readonly folder: string;
  readonly registry: string | undefined;
  readonly database: string;
  readonly fetch: typeof globalThis.fetch;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}
const answerMs = 60_000;
const installMs = 15 * 60_000;
const askMs = 60_000;
const maxTarballBytes = 200 * 1024 * 1024;

/** Why a version is not taken; nothing has changed then. */
export class Unfit extends Error {
  constructor(why: string, options: { readonly cause?: unknown } = {}) {
    super(why, options);
    this.name = "Unfit";
  }
}

/** Installed and fit for the database there is when it resolves; throws `Unfit` otherwise. */
export async function install(order: InstallOrder): Promise<void> {
  const { folder, version } = order;
  const place = join(folder, version);
  const half = join(folder, `.making-${version}`);
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { recursive: true, mode: 0o700 });
  try {
    const tarball = join(half, "forgehand.tgz");
    writeFileSync(tarball, await fetchPinned(order), { mode: 0o600 });
    await layOut(order, half, tarball);
    const program = programOf(folder, `.making-${version}`, version);
    if (program === undefined)
      throw new Unfit(`the package is not forgehand ${version}, or has no program of that name`);
    await askItself(order, program);
    // One that was laid out before is made anew: nobody runs it, or it would not be asked for.
    rmSync(place, { recursive: true, force: true });
    renameSync(half, place);
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
}

const told = z.object({
  version: z.string(),
  dist: z.object({ tarball: z.url({ protocol: /^https?$/u }), integrity: z.string() }),
});

async function fetchPinned(order: InstallOrder): Promise<Buffer> {
  const { version, integrity, registry } = order;
  if (registry === undefined)
    throw new Unfit("there is no npm here to say where versions come from; set FORGEHAND_REGISTRY");
  // What goes wrong is told on an issue, and names the registry.
  const { username, password } = new URL(registry);
  if (username + password !== "")
    throw new Unfit("the registry's address has a password in it, and only one without is asked");
  const address = `${registry}/forgehand/${version}`;
  const answer = await ask(order, address);
  if (answer.status === 404) throw new Unfit(`the registry ${registry} has no forgehand ${version}`);
  if (!answer.ok) throw new Unfit(`the registry answered ${answer.status} for ${address}`);
  const parsed = told.safeParse(await answer.json().catch(() => undefined));
  if (!parsed.success || parsed.data.version !== version)
    throw new Unfit(`the registry's answer for ${address} is none that npm would take`);
  const { dist } = parsed.data;
  if (dist.integrity !== integrity)
    throw new Unfit(
      `the registry says that forgehand ${version} is ${dist.integrity}, and ${integrity} was asked for: is that the hash of another version?`,
    );
  const body = await ask(order, dist.tarball);
  if (!body.ok || body.body === null)
    throw new Unfit(`the registry answered ${body.status} for ${dist.tarball}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body.body) {
    bytes += chunk.length;
    if (bytes > maxTarballBytes) throw new Unfit(`${dist.tarball} is larger than ${maxTarballBytes} bytes`);
    chunks.push(chunk);
  }
  const tarball = Buffer.concat(chunks);
  const is = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  if (is !== integrity)
    throw new Unfit(`what the registry sent for forgehand ${version} is ${is}, and not ${integrity}`);
  return tarball;
}

async function ask({ fetch, signal }: InstallOrder, address: string): Promise<Response> {
  try {
    return await fetch(address, { signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]) });
  } catch (error) {
    throw new Unfit(`${address} does not answer: ${wordsOf(error)}`, { cause: error });
  }
}

/**
 * npm lays it out with what it depends on. No script of any package runs: what is native is shipped built. Our own
 * settings, with the App's key among them, are kept from it.
 */
async function layOut({ registry, env, signal }: InstallOrder, home: string, tarball: string): Promise<void> {
  writeFileSync(join(home, "package.json"), '{ "private": true }\n');
  const quiet = [
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--omit=dev",
    "--engine-strict",
  ];
  const done = await execa(
    "npm",
    [
      "install",
      ...quiet,
      "--install-links",
      ...(registry === undefined ? [] : ["--registry", registry]),
      "--prefix",
      home,
      tarball,
    ],
    {
      cwd: home,
      env: plainOf(env),
      extendEnv: false,
      stdin: "ignore",
      timeout: installMs,
      cancelSignal: signal,
      reject: false,
      all: true,
    },
  );
  if (done.failed)
    throw new Unfit(
      `npm could not install it: ${(done.all ?? done.shortMessage ?? "it said nothing").slice(-600)}`,
    );
}

/** What a program of ours is asked with: nothing of the settings, and this very Node first on the path. */
const plainOf = (env: InstallOrder["env"]): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(env).filter(
      (one): one is [string, string] => one[1] !== undefined && !one[0].startsWith("FORGEHAND_"),
    ),
  ),
  PATH: `${dirname(process.execPath)}:${env["PATH"] ?? "/usr/bin:/bin"}`,
});

/** The new program says itself which version it is, and whether it can go on with this database. */
async function askItself(order: InstallOrder, program: string): Promise<void> {
  const { version, database } = order;
  const says = await run(order, program, "--version");
  if (says.failed || says.stdout.trim() !== version)
    throw new Unfit(`its program does not start, or does not say that it is ${version}: ${endOf(says)}`);
  if (!existsSync(database)) return;
  const check = await run(order, program, "upgrade", "--check", "--database", database);
  if (check.failed) throw new Unfit(`it cannot go on with ${database}: ${endOf(check)}`);
}

const run = async ({ env, signal }: InstallOrder, program: string, ...argv: readonly string[]) =>
  await execa(process.execPath, [program, ...argv], {
    env: plainOf(env),
    extendEnv: false,
    stdin: "ignore",
    timeout: askMs,
    cancelSignal: signal,
    reject: false,
    all: true,
  });
const endOf = ({
  all = "",
  exitCode,
}: {
  readonly all?: string;
  readonly exitCode?: number | undefined;
}): string => `${all.trim().slice(-400)} (it ended with ${exitCode ?? "a signal"})`;
const wordsOf = (error: unknown): string =>
  error instanceof Error
    ? error.cause instanceof Error
      ? error.cause.message
      : error.message
    : String(error);

/** Removes versions that neither run nor are one step back. */
export function pruneVersions(folder: string, keep: readonly (string | undefined)[]): void {
  const kept = new Set([currentVersion(folder), ...keep]);
  for (const name of readdirSync(folder))
    if (name.startsWith(".making-") || (versionPattern.test(name) && !kept.has(name)))
      rmSync(join(folder, name), { recursive: true, force: true });
}
