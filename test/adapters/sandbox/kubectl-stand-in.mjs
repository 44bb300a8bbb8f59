#!/usr/bin/env node
// Stands for `kubectl`: writes down what it was told, and plays a cluster of one node with bubblewrap for containers.
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
import { join } from "node:path";

const state = process.env.KUBECTL_STAND_IN;
const argv = process.argv.slice(2);
mkdirSync(join(state, "jobs"), { recursive: true });
appendFileSync(join(state, "calls"), `${JSON.stringify({ argv, env: Object.keys(process.env) })}\n`);
const fail = (why, code = 1) => {
  process.stderr.write(`${why}\n`);
  process.exit(code);
};
const valueOf = (flag) => argv[argv.indexOf(flag) + 1];
const at = argv.findIndex(
  (one, index) => !one.startsWith("-") && !["--namespace", "--context"].includes(argv[index - 1]),
);
const [verb, what = ""] = argv.slice(at);
const folderOf = (name) => join(state, "jobs", name);
const jobOf = (name) => JSON.parse(readFileSync(join(folderOf(name), "job.json"), "utf8"));
const stdin = () => readFileSync(0, "utf8");

switch (verb) {
  case "version":
    if (existsSync(join(state, "down"))) fail("The connection to the server was refused");
    console.log(
      JSON.stringify({ clientVersion: { gitVersion: "v1.32.4" }, serverVersion: { gitVersion: "v1.31.2" } }),
    );
    break;
  case "auth":
    console.log(
      existsSync(join(state, "forbidden")) && what === "can-i" && argv.at(-1) === "pods/exec" ? "no" : "yes",
    );
    break;
  case "create": {
    const { items } = JSON.parse(stdin());
    for (const item of items) {
      const { name } = item.metadata;
      if (item.kind !== "Job") {
        writeFileSync(join(state, `${item.kind}-${name}.json`), JSON.stringify(item));
        continue;
      }
      if (existsSync(folderOf(name)))
        fail(`Error from server (AlreadyExists): jobs.batch "${name}" already exists`);
      for (const volume of item.spec.template.spec.volumes)
        mkdirSync(join(folderOf(name), "volumes", volume.name), { recursive: true });
      writeFileSync(join(folderOf(name), "job.json"), JSON.stringify(item));
    }
    break;
  }
  case "wait":
    if (existsSync(join(state, "unready"))) fail(`error: timed out waiting for the condition on ${what}`);
    break;
  case "get": {
    if (existsSync(join(state, "down"))) fail("The connection to the server was refused");
    if (what === "pods") {
      process.stdout.write("containers with unready status: [agent courier] ErrImagePull");
      break;
    }
    const wanted = valueOf("--selector")
      .split(",")
      .map((one) => one.split("="));
    const items = readdirSync(join(state, "jobs"))
      .map(jobOf)
      .filter(({ metadata }) => wanted.every(([label, value]) => metadata.labels[label] === value));
    console.log(JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    break;
  }
  case "delete":
    for (const one of argv.filter((arg) => arg.startsWith("job/")))
      rmSync(folderOf(one.slice(4)), { recursive: true, force: true });
    for (const one of argv.filter((arg) => arg.startsWith("networkpolicy/")))
      rmSync(join(state, `NetworkPolicy-${one.slice(14)}.json`), { force: true });
    break;
  case "exec": {
    const name = (argv.find((arg) => arg.startsWith("job/")) ?? "").slice(4);
    if (!existsSync(folderOf(name))) fail(`Error from server (NotFound): jobs.batch "${name}" not found`);
    const container = jobOf(name).spec.template.spec.containers.find(
      (one) => one.name === valueOf("--container"),
    );
    const volume = (mount) => join(folderOf(name), "volumes", mount.name);
    const isOver = () =>
      !existsSync(folderOf(name)) || existsSync(join(folderOf(name), "volumes", "order", "done"));
    if (container.name === "agent" && isOver())
      fail("error: cannot exec into a container in a completed pod");
    const child = spawn(
      "bwrap",
      [
        "--unshare-pid",
        "--die-with-parent",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        ...["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc"].flatMap((path) => [
          "--ro-bind-try",
          path,
          path,
        ]),
        "--tmpfs",
        "/tmp",
        "--clearenv",
        "--setenv",
        "PATH",
        "/usr/local/bin:/usr/bin:/bin",
        ...container.volumeMounts
          .toSorted((one, other) => one.mountPath.length - other.mountPath.length)
          .flatMap((mount) => [mount.readOnly ? "--ro-bind" : "--bind", volume(mount), mount.mountPath]),
        "--",
        ...argv.slice(argv.indexOf("--") + 1),
      ],
      { stdio: "inherit" },
    );
    // The container ends with its first process, and everybody in it.
    const isEnd = valueOf("-s") !== undefined && argv.at(-1) === "-s";
    const look = setInterval(() => {
      if (container.name === "agent" && !isEnd && isOver()) child.kill("SIGKILL");
    }, 50);
    child.on("exit", (code, signal) => {
      clearInterval(look);
      process.exit(signal === null ? code : 137);
    });
    break;
  }
  default:
    fail(`the stand-in knows no ${verb}`, 64);
}
