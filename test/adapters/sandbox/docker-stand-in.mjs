#!/usr/bin/env node
// Stands for the `docker` client: writes down what it was told, and plays the engine with processes of this host.
import { spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

// A client is given few of our variables; then its folder is the one above it.
const state = process.env.DOCKER_STAND_IN ?? dirname(import.meta.dirname);
const argv = process.argv.slice(2);
const env = Object.keys(process.env);
mkdirSync(join(state, "containers"), { recursive: true });
appendFileSync(join(state, "calls"), `${JSON.stringify({ argv, env })}\n`);
if (existsSync(join(state, "down"))) {
  process.stderr.write("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n");
  process.exit(1);
}
const valuesOf = (flag) => argv.flatMap((one, at) => (argv[at - 1] === flag ? [one] : []));
const fileOf = (id) => join(state, "containers", id);
const found = () =>
  readdirSync(join(state, "containers")).map((id) => JSON.parse(readFileSync(fileOf(id), "utf8")));

switch (argv[0]) {
  case "version":
    console.log("28.2.2");
    break;
  case "info":
    console.log(JSON.stringify({ runc: { path: "runc" }, runsc: { path: "runsc" } }));
    break;
  case "image":
    if (argv.at(-1) !== "agents:1") {
      process.stderr.write(`Error: No such image: ${argv.at(-1)}\n`);
      process.exit(1);
    }
    console.log("sha256:0");
    break;
  case "ps": {
    const filters = valuesOf("--filter").map((filter) => filter.replace(/^label=/u, "").split(/=(.*)/su));
    for (const { id, labels } of found())
      if (filters.every(([name, value]) => (value === undefined ? name in labels : labels[name] === value)))
        console.log(
          [
            id,
            ...["order", "cwd", "owner"].map((name) => JSON.stringify(labels[`forgehand.${name}`] ?? "")),
          ].join("\t"),
        );
    break;
  }
  case "rm":
    for (const id of argv.slice(1).filter((one) => !one.startsWith("-"))) {
      if (!existsSync(fileOf(id))) continue;
      const { pid } = JSON.parse(readFileSync(fileOf(id), "utf8"));
      rmSync(fileOf(id), { force: true });
      try {
        process.kill(-pid, "SIGKILL");
      } catch {}
    }
    break;
  case "run": {
    const [name] = valuesOf("--name");
    if (found().some((one) => one.name === name)) {
      process.stderr.write(
        `docker: Error response from daemon: Conflict. The container name "/${name}" is already in use\n`,
      );
      process.exit(125);
    }
    const labels = Object.fromEntries(valuesOf("--label").map((label) => label.split(/=(.*)/su)));
    const told = Object.fromEntries(
      valuesOf("--env").map((one) =>
        one.includes("=") ? one.split(/=(.*)/su) : [one, process.env[one] ?? ""],
      ),
    );
    const [entrypoint] = valuesOf("--entrypoint");
    const [cwd] = valuesOf("--workdir");
    const rest = argv.slice(argv.indexOf("agents:1") + 1);
    const child = spawn(entrypoint, rest, {
      cwd,
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", ...told },
      stdio: "inherit",
      detached: true,
    });
    const id = `${Date.now().toString(16).padStart(12, "0")}${String(child.pid ?? 0).padStart(8, "0")}`;
    if (child.pid !== undefined)
      writeFileSync(fileOf(id), JSON.stringify({ id, name, labels, pid: child.pid }));
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    child.on("error", () => process.exit(127));
    child.on("exit", (code, signal) => {
      rmSync(fileOf(id), { force: true });
      process.exit(signal === null ? code : 137);
    });
    break;
  }
  default:
    process.stderr.write(`the stand-in knows no ${argv[0]}\n`);
    process.exit(64);
}
