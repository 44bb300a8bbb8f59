/** The seam to what keeps secrets unreadable at rest. */
export interface Seal {
  /** `purpose` says what the text is for, such as whose token; it is needed to open it again. */
  seal(text: string, purpose: string): string;
  open(
    sealed: string,
    purpose: string,
  ): { readonly is: "open"; readonly text: string } | { readonly is: "other-key" | "damaged" };
}
