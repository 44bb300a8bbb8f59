/** What the caller said. */
export interface BootstrapOptions {
  readonly dryRun?: true | undefined;
  readonly check?: true | undefined;
  readonly update?: true | undefined;
  readonly again?: true | undefined;
  readonly verify?: boolean | undefined;
  readonly skills?: "link" | "copy" | undefined;
  readonly agent?: true | undefined;
}
/** `check` and `dry-run` write nothing. */
export type Mode = "propose" | "dry-run" | "check";
