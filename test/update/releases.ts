/** Small packages that behave like releases of forgehand, good ones and bad, and a registry on the loopback that has them. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";

export type Manner =
  | "good"
  | "does not start"
  | "is sick"
  | "dies soon"
  | "migrates and is sick"
  | "refuses the database";

/** The program of a release: it says its version, serves `/healthz`, and does as its launcher tells it. */
export const programOf = (version: string, manner: Manner): string => `
import { createServer } from "node:http";
import { appendFileSync } from "node:fs";
const version = ${JSON.stringify(version)};
const manner = ${JSON.stringify(manner)};
const argv = process.argv.slice(2);
if (argv[0] === "--version") { console.log(version); process.exit(0); }
if (argv[0] === "upgrade") {
  if (manner === "refuses the database") { console.error("it was written by a newer forgehand"); process.exit(4); }
  process.exit(0);
}
appendFileSync(process.env.RELEASES_LOG, version + (process.env.FORGEHAND_TRIAL === undefined ? "" : " on trial") + " " + process.pid + "\\n");
if (manner === "does not start") { console.error("cannot find a module"); process.exit(1); }
if (manner === "migrates and is sick") {
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(process.env.RELEASES_DATABASE);
  db.exec("create table newer (a integer); insert into store_migration (number, name) values (900, 'newer')");
}
const server = createServer((_, response) => {
  const well = !manner.endsWith("sick");
  response.writeHead(well ? 200 : 503, { "content-type": "application/json" });
  response.end(JSON.stringify({ ok: well ? "yes" : "no", version }));
}).listen(0, "127.0.0.1", () => {
  process.send({ type: "serving", url: "http://127.0.0.1:" + server.address().port, version }, () =>
    appendFileSync(process.env.RELEASES_LOG + ".serving", version));
  if (manner === "dies soon") setImmediate(() => process.exit(3));
});
process.on("message", () => process.exit(0));
process.on("disconnect", () => process.exit(0));
process.on("SIGHUP", () => appendFileSync(process.env.RELEASES_LOG + ".hung-up", version));
process.on("SIGUSR2", () => process.exit(9));
`;

/** A tarball as npm packs it. */
export async function tarballOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const tar = pack();
  for (const [name, text] of Object.entries(files)) tar.entry({ name: `package/${name}` }, text);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
}
export const integrityOf = (tarball: Buffer): string =>
  `sha512-${createHash("sha512").update(tarball).digest("base64")}`;

export const release = async (version: string, manner: Manner): Promise<Buffer> =>
  await tarballOf({
    "package.json": JSON.stringify({
      name: "forgehand",
      version,
      type: "module",
      bin: { forgehand: "program.js" },
    }),
    "program.js": programOf(version, manner),
  });

export interface Registry {
  readonly url: string;
  /** Answers its integrity. `sends`: other bytes than it tells of. */
  publish(version: string, tarball: Buffer, sends?: Buffer): string;
  close(): Promise<void>;
}
export async function openRegistry(): Promise<Registry> {
  const known = new Map<string, { readonly told: string; readonly sends: Buffer }>();
  const server = createServer((request, response) => {
    const [, file, version = ""] = /^\/forgehand\/(-\/)?([\w.-]+?)(?:\.tgz)?$/u.exec(request.url ?? "") ?? [];
    const found = known.get(version);
    if (found === undefined) {
      response.writeHead(404).end("{}");
      return;
    }
    const tarball = `http://127.0.0.1:${(server.address() as AddressInfo).port}/forgehand/-/${version}.tgz`;
    if (file === undefined)
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ name: "forgehand", version, dist: { tarball, integrity: found.told } }));
    else response.writeHead(200).end(found.sends);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    publish: (version, tarball, sends = tarball) => {
      const told = integrityOf(tarball);
      known.set(version, { told, sends });
      return told;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
