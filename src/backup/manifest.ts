/** What a backup holds, by name: the first thing in it, so that everything behind it is held against it. */
import { z } from "zod";

export const manifestName = "manifest.json";
export const databaseName = "forgehand.db";
export const keyName = "forgehand.db.key";
export const secretsName = "secrets/forgehand.env";
/** The operator's own files, by the setting that names each. */
export const operatorFiles = {
  agents: "files/agents.yml",
  linearFile: "files/linear.yml",
  mcp: "files/mcp.yml",
  prices: "files/prices.yml",
} as const;
export type OperatorFile = keyof typeof operatorFiles;

/** No part of a name begins with a dot, so that none leads out of a folder. */
const part = String.raw`[\w@][\w@.-]{0,120}`;
const grammar = new RegExp(
  String.raw`^(?:forgehand\.db(?:\.key)?|secrets/forgehand\.env|files/(?:agents|linear|mcp|prices)\.yml|workflows/(?:${part}/){0,8}${part}|git/${part}\.bundle)$`,
  "u",
);
export const isMemberName = (name: string): boolean => grammar.test(name);

const member = z.strictObject({
  name: z.string().refine(isMemberName, "no name that a backup has"),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/u),
});
export const manifestSchema = z.strictObject({
  format: z.literal(1),
  /** The version that wrote it. */
  forgehand: z.string().max(100),
  at: z.iso.datetime(),
  /** Newest migrations of the database. */
  store: z.int().min(1),
  engine: z.int().min(0),
  /** The ledger's last line, and its hash. */
  ledger: z.strictObject({ seq: z.int().min(0), hash: z.string().max(100) }),
  members: z.array(member).min(1).max(10_000),
});
export type Manifest = z.output<typeof manifestSchema>;
export type Member = Manifest["members"][number];
