/** One thing that does not agree: which field of the certificate (or `ledger`, `clone`), why, and what to do. */
export interface Fault {
  readonly field: string;
  readonly why: string;
  readonly do?: string | undefined;
}
