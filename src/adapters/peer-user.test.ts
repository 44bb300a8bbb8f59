import { createConnection, createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { peerUser } from "./peer-user.ts";

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1
   1: 0100007F:0BB8 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 2 1
   2: 0100007F:C350 0100007F:0BB8 01 00000000:00000000 00:00000000 00000000  1001        0 3 1
   3: 0500A8C0:C351 0100A8C0:0BB8 01 00000000:00000000 00:00000000 00000000  1002        0 4 1
`;
const read = (path: string): string => {
  if (path !== "/proc/net/tcp") throw new Error("ENOENT");
  return table;
};

test.each([
  ["127.0.0.1", 50_000, 1001],
  ["::ffff:127.0.0.1", 50_000, 1001],
  // What listens is not what connected, and another host's socket is nobody of ours.
  ["127.0.0.1", 50_001, undefined],
  ["192.168.0.5", 50_001, undefined],
  ["127.0.0.1", 40_000, undefined],
])("%s port %i is of user %s", (address, port, user) => {
  expect(peerUser({ address, port }, read)).toBe(user);
});

test("nobody is known where the system does not tell", () => {
  const silent = (): never => {
    throw new Error("ENOENT");
  };
  expect(peerUser({ address: "127.0.0.1", port: 50_000 }, silent)).toBeUndefined();
});

test.skipIf(process.platform !== "linux")("a connection of this process is of its own user", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = createConnection((server.address() as AddressInfo).port, "127.0.0.1");
  await once(client, "connect");
  expect(peerUser({ address: "127.0.0.1", port: client.localPort ?? 0 })).toBe(process.getuid?.());
  client.destroy();
  server.close();
});
