import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync, mkdirSync, readFileSync } from "node:fs";
import { createServer, connect, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { SshHost } from "../../../src/adapters/sandboxes/ssh-hosts.ts";

/** The server of Debian's openssh-server; undefined where it is not installed. */
export const sshdBinary = ["/usr/sbin/sshd", "/usr/bin/sshd"].find((path) => existsSync(path));

/** An ssh server of our own on the loopback, with a door in front of it that can be shut. */
export interface SshServer {
  readonly configFile: string;
  readonly folder: string;
  host(name: string, cap?: number): SshHost;
  /** Cuts every connection and lets nobody in. */
  shut(): void;
  open(): void;
  /** How many connections were made. */
  visits(): number;
  close(): Promise<void>;
}

/** Starts `sshd` as the current user, with keys made for this one run. */
export async function startSshd(): Promise<SshServer> {
  if (sshdBinary === undefined) throw new Error("no sshd here: apt-get install openssh-server");
  const folder = mkdtempSync(join(tmpdir(), "forgehand-sshd-"));
  for (const key of ["host", "user"])
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, key)]);
  writeFileSync(join(folder, "authorized"), readFileSync(join(folder, "user.pub")), { mode: 0o600 });
  const port = await freePort();
  const config = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${join(folder, "host")}`,
    `AuthorizedKeysFile ${join(folder, "authorized")}`,
    `PidFile ${join(folder, "pid")}`,
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "PermitRootLogin prohibit-password",
    "StreamLocalBindUnlink yes",
    "MaxStartups 100",
    "LogLevel ERROR",
  ];
  writeFileSync(join(folder, "sshd_config"), `${config.join("\n")}\n`);
  // As root it wants a folder that Debian makes when the service starts.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  const server = spawn(sshdBinary, ["-D", "-e", "-f", join(folder, "sshd_config")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const door = await doorTo(port);
  const hostKey = readFileSync(join(folder, "host.pub"), "utf8").split(" ").slice(0, 2).join(" ");
  writeFileSync(join(folder, "known_hosts"), `[127.0.0.1]:${door.port} ${hostKey}\n`);
  const names = ["one", "two", "three"];
  writeFileSync(
    join(folder, "ssh_config"),
    names
      .map((name) =>
        [
          `Host ${name}`,
          "  HostName 127.0.0.1",
          `  Port ${door.port}`,
          `  User ${userInfo().username}`,
          `  IdentityFile ${join(folder, "user")}`,
          "  IdentitiesOnly yes",
          `  UserKnownHostsFile ${join(folder, "known_hosts")}`,
          "",
        ].join("\n"),
      )
      .join("\n"),
  );
  await listening(port);
  return {
    configFile: join(folder, "ssh_config"),
    folder,
    host: (name, cap = 2) => ({
      name,
      target: name,
      port: undefined,
      cap,
      root: join(folder, "orders", name),
      searchPath: undefined,
    }),
    shut: door.shut,
    open: door.open,
    visits: door.visits,
    close: async () => {
      door.close();
      const gone = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGTERM");
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Passes bytes on, until it is shut. */
async function doorTo(port: number) {
  const sockets = new Set<Socket>();
  let isShut = false;
  let visits = 0;
  const door = createServer((inside) => {
    if (isShut) return void inside.destroy();
    visits += 1;
    const outside = connect(port, "127.0.0.1");
    for (const end of [inside, outside]) {
      sockets.add(end);
      end.on("error", () => undefined);
      end.on("close", () => {
        sockets.delete(end);
        inside.destroy();
        outside.destroy();
      });
    }
    inside.pipe(outside).pipe(inside);
  });
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
  const address = door.address();
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    shut: () => {
      isShut = true;
      cut();
    },
    open: () => {
      isShut = false;
    },
    visits: () => visits,
    close: () => {
      cut();
      door.close();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Resolves when somebody answers there. */
async function listening(port: number): Promise<void> {
  for (;;) {
    const answered = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
