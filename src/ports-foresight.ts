import type { Remote } from "./ports.ts";

/** What the remote is asked beforehand, so that work which is about to begin need not wait for it. */
export interface Foresight {
  /** Work on a branch that begins so may be about to begin. Never throws, and what fails is asked again in its time. */
  expect(remote: Remote, prefix: string): void;
  /** What was heard so far is not new enough for what begins now. */
  forget(remote: Remote): void;
}
