/** The part of a job's log that says why it failed: pure. */

/** Longest part of one log that is kept. */
export const maxLogChars = 5_000;
/** Most of what is kept stands before the last error; what follows it is mostly clean-up. */
const afterError = 600;

// eslint-disable-next-line no-control-regex
const escapes = /\u001B(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?)/gu;
const stamp = /^\uFEFF?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z /gmu;
const error = /^##\[error\].*$/gmu;

/** Without colours and times of day, cut to what stands around its last error, or to its end. */
export function readableLog(text: string): string {
  const plain = text.replaceAll("\r\n", "\n").replaceAll(escapes, "").replaceAll(stamp, "").trim();
  if (plain.length <= maxLogChars) return plain;
  const last = [...plain.matchAll(error)].at(-1);
  const end =
    last === undefined ? plain.length : Math.min(plain.length, last.index + last[0].length + afterError);
  const start = Math.max(0, end - maxLogChars);
  return [
    ...(start > 0 ? ["[cut: more stands before this]"] : []),
    plain.slice(start, end),
    ...(end < plain.length ? ["[cut: more stands after this]"] : []),
  ].join("\n");
}
