/** Who looks at the dashboard, and at what. */
/** What somebody may do in a repository; each includes those before it. */
export const rights = ["see", "act", "administer"] as const;
export type Right = (typeof rights)[number];
/** Who asks. */
export interface Viewer {
  /** As the ledger names them: `operator:ada`, or a login. */
  readonly who: string;
  /** By number of the repository; an operator may everything everywhere. */
  readonly rights: "operator" | ReadonlyMap<number, Right>;
}
export const mayIn = ({ rights: given }: Viewer, repo: number, wanted: Right): boolean => {
  if (given === "operator") return true;
  const has = given.get(repo);
  return has !== undefined && rights.indexOf(has) >= rights.indexOf(wanted);
};
/** Numbers of what somebody sees; undefined: everything. */
export const seenBy = ({ rights: given }: Viewer): readonly number[] | undefined =>
  given === "operator" ? undefined : [...given.keys()];
