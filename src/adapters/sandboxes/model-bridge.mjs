// Runs inside a sandbox that has no network: `node model-bridge.mjs SOCKET PORT PROGRAM ...`. It takes connections on
// the sandbox's own loopback and passes their bytes on to the socket, and ends as the program ends.
import { spawn } from "node:child_process";
import { createServer, connect } from "node:net";

const [socket, port, program, ...args] = process.argv.slice(2);
const server = createServer((inside) => {
  const outside = connect(socket);
  for (const end of [inside, outside])
    end.on("error", () => {
      inside.destroy();
      outside.destroy();
    });
  inside.pipe(outside).pipe(inside);
});
server.on("error", (error) => {
  process.stderr.write(`the way to the model cannot be opened: ${error.message}\n`);
  process.exit(125);
});
server.listen(Number(port), "127.0.0.1", () => {
  const child = spawn(program, args, { stdio: "inherit" });
  // The program hears the same signals; this one only outlives it, to say how it ended.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => undefined);
  child.on("error", (error) => {
    process.stderr.write(`${program} could not be started: ${error.message}\n`);
    process.exit(error.code === "ENOENT" ? 127 : 126);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
});
