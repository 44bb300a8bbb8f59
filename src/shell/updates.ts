/** What the shell asks of whoever can put another version of forgehand in the place of this one. */
export interface UpdateOrder {
  readonly version: string;
  readonly integrity: string;
  readonly by: string;
  readonly issue: { readonly repo: number; readonly number: number };
}
/** How the last one ended. */
export interface UpdateEnd {
  readonly id: string;
  readonly version: string;
  readonly from: string;
  readonly is: "healthy" | "rolled-back" | "refused";
  readonly why: string;
  /** The copy of the database took the place of what the new version had migrated. */
  readonly restored: boolean;
  readonly issue?: UpdateOrder["issue"] | undefined;
}
export interface Updates {
  /** Whether whoever started this process can put another version in its place. */
  readonly supervised: "yes" | "no";
  /** Must prove itself before anything is done. */
  readonly trial: "yes" | "no";
  ask(
    order: UpdateOrder,
  ): { readonly asked: string; readonly version: string } | { readonly refused: string };
  /** One that ended and was not told of yet. */
  untold(): UpdateEnd | undefined;
  told(id: string): void;
}
