/** Linear's library, loaded with the first question: it is large, and most houses have no Linear. */
import type { LinearClient, LinearError } from "@linear/sdk";

type Sdk = typeof import("@linear/sdk");

let loaded: Sdk | undefined;

/** A client of the library. */
export async function linearClient(
  ...options: ConstructorParameters<Sdk["LinearClient"]>
): Promise<LinearClient> {
  loaded ??= await import("@linear/sdk");
  return new loaded.LinearClient(...options);
}

/** Before it is loaded it can have thrown nothing. */
export const isLinearError = (error: unknown): error is LinearError =>
  loaded !== undefined && error instanceof loaded.LinearError;
