/** Longest part of a title that goes into a branch name. */
const maxSlug = 40;

/** A title as a harmless piece of a branch name: lower-case letters, digits and single dashes. */
export function slug(title: string): string {
  const plain = title
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, maxSlug)
    .replace(/^-+|-+$/g, "");
  return plain === "" ? "ticket" : plain;
}
