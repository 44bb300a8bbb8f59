/** Which user of this host is at the other end of a connection over the loopback, where the system tells. */
import { readFileSync } from "node:fs";

export interface Peer {
  readonly address: string;
  readonly port: number;
}
type Read = (path: string) => string;

const tables = ["/proc/net/tcp", "/proc/net/tcp6"];

/** A number, as `process.getuid()` has it; undefined for another host, another system, and whatever is not found. */
export function peerUser(
  { address, port }: Peer,
  read: Read = (path) => readFileSync(path, "utf8"),
): number | undefined {
  if (!/^(?:::ffff:)?127\.|^::1$/u.test(address)) return undefined;
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  for (const path of tables) {
    let text: string;
    try {
      text = read(path);
    } catch {
      continue;
    }
    for (const line of text.split("\n").slice(1)) {
      // Number, local and remote address, state, queues, timer, retransmissions, user.
      const [, local = "", , state, , , , user] = line.trim().split(/\s+/u);
      const [host = "", at] = local.split(":");
      if (at === wanted && state === established && isLoopback(host)) return Number(user);
    }
  }
  return undefined;
}
const established = "01";

/** As the kernel prints them: words of four bytes in the order of the machine. */
const isLoopback = (hex: string): boolean =>
  /^[\dA-F]{6}7F$/u.test(hex) ||
  /^0{16}FFFF0000[\dA-F]{6}7F$/u.test(hex) ||
  hex === "00000000000000000000000001000000";
