/** How much of this host one order may use. Undefined: as much as the host gives. */
export interface ResourceLimits {
  /** Of all its processes together. */
  readonly memoryMb?: number | undefined;
  /** Whole cores or parts of one. */
  readonly cpus?: number | undefined;
  /** Threads count too. */
  readonly processes?: number | undefined;
  /** Of one file, and where the sandbox can tell, of all it may write. */
  readonly diskMb?: number | undefined;
}

/** What is watched while an order is carried out, for sandboxes that leave it to us. */
export interface Allowance {
  readonly limits: ResourceLimits;
  /** Folders whose size together is the disk used. */
  readonly folders: readonly string[];
}

/** Which limit was passed. */
export type Exceeded = "memory" | "processes" | "disk";
