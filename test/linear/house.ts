/** A database with Linear's sign-in, on a clock that a test can turn. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/adapters/clock.ts";
import { migrateEngine } from "../../src/engine/index.ts";
import { openLinear, type Linear } from "../../src/linear.ts";
import type { Clock } from "../../src/ports.ts";
import type { SignedOut } from "../../src/ports-linear.ts";
import { openSqlite } from "../../src/sql.ts";
import { migrate } from "../../src/store/database.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { noRuns } from "../../src/store/steps.ts";
import { app, type LinearStand } from "./stand.ts";

export const hourMs = 3_600_000;
export const secretKey = Buffer.alloc(32, 7).toString("base64");

/** The wall clock, moved. */
export interface MovedClock extends Clock {
  move(byMs: number): void;
}
export function movedClock(): MovedClock {
  const clock = systemClock();
  let by = 0;
  return {
    now: () => clock.now() + by,
    until: (instant, signal) => clock.until(instant - by, signal),
    move: (byMs) => void (by += byMs),
  };
}

export interface House extends Linear {
  readonly database: string;
  readonly store: Store;
  readonly clock: MovedClock;
  readonly pages: readonly SignedOut[];
  close(): void;
}
export interface HouseOptions {
  readonly stand: LinearStand;
  readonly database?: string;
  readonly clock?: MovedClock;
  readonly linear?: { readonly clientId?: string; readonly clientSecret?: string; readonly apiKey?: string };
  readonly secretKey?: string | undefined;
  /** Puts itself between. */
  readonly around?: (store: Store) => Store;
}

export const newDatabase = (): string => join(mkdtempSync(join(tmpdir(), "linear-")), "forgehand.db");

export async function openHouse(options: HouseOptions): Promise<House> {
  const { stand, database = newDatabase(), clock = movedClock() } = options;
  const sql = openSqlite(database);
  await migrateEngine(sql);
  await migrate(sql);
  const bare = openStore(sql, noRuns);
  const store = options.around?.(bare) ?? bare;
  const pages: SignedOut[] = [];
  const linear = openLinear({
    environment: {
      database,
      secretKey: "secretKey" in options ? options.secretKey : secretKey,
      linear: {
        clientId: app.id,
        clientSecret: app.secret,
        apiKey: undefined,
        apiUrl: stand.url,
        redirect: "http://localhost:8977/linear/callback",
        ...options.linear,
      },
    },
    store,
    clock,
    page: (out) => void pages.push(out),
  });
  return { ...linear, database, store, clock, pages, close: () => sql.close() };
}

/** Signs in as if a browser had brought a code. */
export async function signInTo(house: Pick<House, "desk">, stand: LinearStand): Promise<void> {
  const pair = { ...stand.grant(), scopes: stand.grantedScopes, lifetimeMs: stand.lifetimeSeconds * 1000 };
  const signedIn = await house.desk.signIn("code", async () => ({ is: "granted", pair }));
  if (signedIn.is !== "signed-in") throw new Error(`not signed in: ${signedIn.why}`);
}
