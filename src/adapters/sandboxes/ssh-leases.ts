/**
 * Which order lies on which host. A row is written before anything is sent and deleted after everything is home, so that
 * whatever a crash leaves behind is known, counted, and never begun a second time elsewhere.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { z } from "zod";
import type { Instant } from "../../ports.ts";
import type { ProcessOwner } from "../owner.ts";
import { hostsToTry, type SshHost } from "./ssh-hosts.ts";
import type { Travelling } from "./tree-home.ts";

export interface Lease {
  readonly id: string;
  /** `RUN_ID` of the order. */
  readonly runId: string;
  readonly cwd: string;
  readonly host: SshHost;
  /** Folder of the order there, absolute; undefined until the host said where. */
  readonly root: string | undefined;
  /** What has to come home. */
  readonly folders: readonly Travelling[];
  readonly owner: ProcessOwner;
}
type NewLease = Omit<Lease, "host" | "root">;

export interface SshLeases {
  /** Takes room on the first host that has some and is not among those avoided; `full` when none has. */
  take(
    lease: NewLease,
    hosts: readonly SshHost[],
    avoid: ReadonlySet<string>,
    now: Instant,
  ): SshHost | "full";
  placed(id: string, root: string): void;
  /** Makes somebody else's row ours; `lost` when another did so first. */
  adopt(lease: Lease, owner: ProcessOwner): "ours" | "lost";
  give(id: string): void;
  all(): readonly Lease[];
  /** Names this file among all that use the same hosts. */
  readonly house: string;
  close(): void;
}

const hostSchema = z
  .object({
    name: z.string(),
    target: z.string(),
    port: z.number().optional(),
    cap: z.number(),
    root: z.string(),
    searchPath: z.string().optional(),
  })
  .transform((host): SshHost => ({ ...host, port: host.port, searchPath: host.searchPath }));
const rowSchema = z.object({
  id: z.string(),
  run: z.string(),
  cwd: z.string(),
  host: z.string().transform((text) => hostSchema.parse(JSON.parse(text))),
  root: z.string().nullable(),
  folders: z
    .string()
    .transform((text) =>
      z
        .array(z.object({ name: z.string(), home: z.string(), without: z.array(z.string()) }))
        .parse(JSON.parse(text)),
    ),
  owner: z
    .string()
    .transform((text) =>
      z.object({ pid: z.number(), startedAt: z.string(), host: z.string() }).parse(JSON.parse(text)),
    ),
});

/** How long a worktree's last host is preferred. */
const rememberMs = 30 * 24 * 60 * 60_000;
const schema = `
  create table if not exists lease (
    id text primary key, run text not null, cwd text not null, name text not null, host text not null,
    root text, folders text not null, owner text not null, since integer not null
  ) strict;
  create table if not exists house (only integer primary key check (only = 1), name text not null) strict;
  create table if not exists last_host (cwd text primary key, name text not null, at integer not null) strict;
`;

/** Opens the file, or makes it. Several processes may have it open at once. */
export function sshLeases(path: string): SshLeases {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const database = new Database(path);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.pragma("busy_timeout = 10000");
  database.exec(schema);
  database.prepare("insert into house values (1, ?) on conflict do nothing").run(leaseId());
  const house = z.string().parse(database.prepare("select name from house").pluck().get());
  const count = database.prepare("select name, count(*) as taken from lease group by name");
  const last = database.prepare("select name from last_host where cwd = ?").pluck();
  const insert = database.prepare(
    "insert into lease (id, run, cwd, name, host, folders, owner, since) values (?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const remember = database.prepare(
    "insert into last_host (cwd, name, at) values (?, ?, ?) on conflict (cwd) do update set name = excluded.name, at = excluded.at",
  );
  const forget = database.prepare("delete from last_host where at < ?");
  const place = database.prepare("update lease set root = ? where id = ?");
  const adopt = database.prepare("update lease set owner = ? where id = ? and owner = ?");
  const remove = database.prepare("delete from lease where id = ?");
  const rows = database.prepare(
    "select id, run, cwd, host, root, folders, owner from lease order by since, id",
  );
  const take = database.transaction(
    (lease: NewLease, hosts: readonly SshHost[], avoid: ReadonlySet<string>, now: Instant) => {
      const taken = new Map(
        z
          .array(z.object({ name: z.string(), taken: z.number() }))
          .parse(count.all())
          .map((row) => [row.name, row.taken]),
      );
      const previous = z.string().optional().parse(last.get(lease.cwd));
      const host = hostsToTry(
        hosts.filter(({ name }) => !avoid.has(name)),
        taken,
        previous,
      )[0];
      if (host === undefined) return "full";
      insert.run(
        lease.id,
        lease.runId,
        lease.cwd,
        host.name,
        JSON.stringify(host),
        JSON.stringify(lease.folders),
        JSON.stringify(lease.owner),
        now,
      );
      remember.run(lease.cwd, host.name, now);
      forget.run(now - rememberMs);
      return host;
    },
  );
  return {
    take: (lease, hosts, avoid, now) => take.immediate(lease, hosts, avoid, now),
    placed: (id, root) => void place.run(root, id),
    adopt: ({ id, owner }, ours) =>
      adopt.run(JSON.stringify(ours), id, JSON.stringify(owner)).changes === 1 ? "ours" : "lost",
    give: (id) => void remove.run(id),
    all: () =>
      z
        .array(rowSchema)
        .parse(rows.all())
        .map(({ run, root, ...row }) => ({ ...row, runId: run, root: root ?? undefined })),
    house,
    close: () => database.close(),
  };
}

/** A name for an order that no other has, here or on any host. */
export const leaseId = (): string => randomBytes(12).toString("hex");
