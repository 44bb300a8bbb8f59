/** What lies in a folder, entry by entry, so that what an agent changed elsewhere is told from what was sent there. */
import { z } from "zod";

export interface TreeEntry {
  readonly type: "file" | "folder" | "link";
  /** Permissions of a file; of anything else 0. */
  readonly mode: number;
  /** SHA-256 of a file, target of a link. */
  readonly holds: string | undefined;
}
/** By path relative to the folder, with `/` between names. */
export type TreeListing = ReadonlyMap<string, TreeEntry>;

/** What has to be done to a folder so that it becomes what came back. */
export interface TreeChange {
  /** New or other than sent; folders before what lies in them. */
  readonly put: readonly (readonly [path: string, entry: TreeEntry])[];
  /** Sent and not come back; what lies in a folder before the folder. */
  readonly gone: readonly string[];
}

/** What differs between the two; never touches what neither names. */
export function changeBetween(sent: TreeListing, back: TreeListing): TreeChange {
  const put = [...back].filter(([path, entry]) => !same(sent.get(path), entry));
  const gone = [...sent.keys()].filter((path) => !back.has(path));
  return {
    put: put.toSorted(([one], [other]) => depth(one) - depth(other)),
    gone: gone.toSorted((one, other) => depth(other) - depth(one)),
  };
}

/** Whether both are the same to whoever reads them. */
export function same(one: TreeEntry | undefined, other: TreeEntry): boolean {
  return one?.type === other.type && one.mode === other.mode && one.holds === other.holds;
}

const depth = (path: string): number => path.split("/").length;

const entrySchema = z.object({
  type: z.enum(["file", "folder", "link"]),
  mode: z.int().nonnegative(),
  holds: z
    .string()
    .optional()
    .transform((text) => text),
});
const listingSchema = z.array(z.tuple([z.string(), entrySchema]));

/** A listing as text for a file of ours. */
export const listingText = (listing: TreeListing): string => JSON.stringify([...listing]);

/** The listing that became this text. */
export function readListing(text: string): TreeListing {
  return new Map(
    listingSchema
      .parse(JSON.parse(text))
      .map(([path, { type, mode, holds }]) => [path, { type, mode, holds }]),
  );
}
