/** By which everything is halted, each lifted by itself; every issue that halts everything has a mark of its own besides. */

/** Operators, on the command line or on a page. */
export const byOperator = { id: "operator", ref: "an operator" } as const;
/** A database that was put back, until the world was looked at. */
export const lookFirst = { id: "restore", ref: "a backup that was put back" } as const;
