import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from "vitest";
import type { ProcessOrder } from "../../src/adapters/processes/agent-process.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { runConfined } from "../../src/adapters/sandboxes/run-confined.ts";
import type { Confinement, ResourceLimits, Sandbox } from "../../src/adapters/sandboxes/sandbox.ts";
import { toItsEnd } from "../adapters/sandbox/stage.ts";
import { claims, type Exceptions } from "./stage.ts";

export interface SandboxStage {
  readonly sandbox: Sandbox;
  /** Runs the order in a process of its own and kills that process, and nothing else, once the order has said `ready`. */
  crash(order: ProcessOrder, confinement: Confinement): Promise<void>;
  close(): Promise<void>;
}

const clock = systemClock();
const secret = "planted-outside-5e1f";
let runs = 0;

/** What every Sandbox promises; what one cannot is left out by name, with the reason. */
export function sandboxContract(
  name: string,
  open: (folder: string) => Promise<SandboxStage>,
  exceptions: Exceptions = {},
): void {
  describe(`the sandbox ${name}`, () => {
    let stage: SandboxStage;
    let root: string;
    let folder: string;
    const at = (path: string): string => join(folder, path);
    beforeAll(async () => {
      root = realpathSync(mkdtempSync(join(tmpdir(), "sandbox-contract-")));
      stage = await open(root);
    });
    afterAll(async () => {
      await stage.close();
      rmSync(root, { recursive: true, force: true });
    });
    beforeEach(() => {
      folder = mkdtempSync(join(root, "case-"));
      for (const path of ["tree", "elsewhere"]) mkdirSync(at(path));
      writeFileSync(at("elsewhere/secret"), secret);
      writeFileSync(at("tree/here"), "as it was\n");
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    const order = (script: string, change: Partial<ProcessOrder> = {}): ProcessOrder => ({
      file: "/bin/sh",
      args: ["-c", script],
      cwd: at("tree"),
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: at("tree"), LANG: "C.UTF-8" },
      stdin: undefined,
      runId: `contract/${process.pid}/${(runs += 1)}`,
      stallMs: 60_000,
      turnMs: 90_000,
      ...change,
    });
    const confinement = (limits: ResourceLimits = {}, change: Partial<Confinement> = {}): Confinement => ({
      write: [at("tree")],
      read: [],
      network: "open",
      limits,
      ...change,
    });
    const play = (
      what: ProcessOrder,
      within = confinement(),
      signal = new AbortController().signal,
      on?: (line: string) => void,
    ) => toItsEnd(runConfined({ sandbox: stage.sandbox, confinement: within }, what, clock, signal), on);
    const { claim, everyExceptionIsAClaim } = claims(exceptions);

    claim("it runs the order and says what it says, and how it ended", async () => {
      const { lines, end } = await play(
        order(`cat; echo "$RUN_ID"; pwd; echo oh >&2; exit 3`, {
          stdin: "first\nsecond\n",
          runId: "contract/one",
        }),
      );
      expect(lines).toEqual(["first", "second", "contract/one", at("tree")]);
      expect(end).toMatchObject({ exit: 3, signal: undefined, stopped: undefined, failedToStart: undefined });
      expect(end.stderr).toBe("oh\n");
    });

    claim("what it says arrives while it runs", async () => {
      const running = new AbortController();
      const { lines, end } = await play(order(`echo now; exec sleep 60`), confinement(), running.signal, () =>
        running.abort(),
      );
      expect(lines).toEqual(["now"]);
      expect(end.stopped).toBe("aborted");
    });

    claim("its arguments arrive as they are", async () => {
      const odd = ["", "a b", "*", "$HOME", `"'`, "-x", "--", "ä\n", "\\"];
      const { lines } = await play(order("", { file: "/usr/bin/printf", args: ["<%s>\\n", ...odd] }));
      expect(lines.join("\n")).toBe(odd.map((one) => `<${one}>`).join("\n"));
    });

    claim("its environment is the one ordered and RUN_ID", async () => {
      const what = order("", { file: "/usr/bin/env", args: [] });
      const { lines } = await play(what);
      const told = Object.fromEntries(lines.map((line) => line.split("=", 2)));
      // A shell on the way may add where it stands.
      const { PWD: _pwd, OLDPWD: _old, SHLVL: _level, _: _last, ...rest } = told;
      expect(rest).toEqual({ ...what.env, RUN_ID: what.runId });
    });

    claim("a program that is not there is told apart from one that fails", async () => {
      const { end } = await play(order("", { file: "no-such-program-anywhere", args: [] }));
      expect(end.failedToStart).toBe("ENOENT");
    });

    claim("what it writes in its folder is there, deletions and modes too", async () => {
      const script = "mkdir -p a/b && echo new > a/b/c && rm here && ln -s a/b/c link && chmod 755 a/b/c";
      expect((await play(order(script))).end.exit).toBe(0);
      expect(readFileSync(at("tree/a/b/c"), "utf8")).toBe("new\n");
      expect(existsSync(at("tree/here"))).toBe(false);
      expect(lstatSync(at("tree/link")).isSymbolicLink()).toBe(true);
      expect(lstatSync(at("tree/a/b/c")).mode & 0o777).toBe(0o755);
    });

    claim("SIGTERM is heard before anything is killed", async () => {
      const stop = new AbortController();
      const script = `trap 'echo heard > heard; exit 7' TERM; echo ready; while :; do sleep 0.1; done`;
      await play(order(script), confinement(), stop.signal, (line) => line === "ready" && stop.abort());
      expect(readFileSync(at("tree/heard"), "utf8")).toBe("heard\n");
    });

    claim("who hears no SIGTERM is killed", async () => {
      const stop = new AbortController();
      const script = `trap '' TERM; echo ready; while :; do sleep 0.1; done`;
      const { end } = await play(order(script), confinement(), stop.signal, () => stop.abort());
      expect(end.stopped).toBe("aborted");
      expect(end.exit === 0).toBe(false);
    });

    for (const [how, script] of Object.entries(strays))
      claim(`a child ${how} is gone when the sandbox has been left`, async () => {
        const mark = `stray-${process.pid}-${(runs += 1)}`;
        const { lines } = await play(order(script(mark)));
        expect(lines).toContain("left one");
        expect(alive(mark)).toEqual([]);
      });

    claim("leaving twice is fine, and so is leaving what never ran", async () => {
      const what = order("true");
      const entered = await stage.sandbox.enter(what, confinement());
      await entered.leave();
      await entered.leave();
      expect((await play(what)).end.exit).toBe(0);
    });

    claim("another process of ours can leave what a crash left behind", async () => {
      const mark = `crashed-${process.pid}-${(runs += 1)}`;
      const what = order(`trap '' TERM HUP; (exec -a ${mark} sleep 300) & echo ready; wait`, {
        file: "/bin/bash",
      });
      await stage.crash(what, confinement());
      await (await stage.sandbox.enter(what, confinement())).leave();
      expect(alive(mark)).toEqual([]);
    });

    claim("a file larger than the disk limit is cut off", async () => {
      const { end } = await play(order("head -c 20000000 /dev/zero > large"), confinement({ diskMb: 4 }));
      expect(end.exit === 0).toBe(false);
      expect(lstatSync(at("tree/large")).size).toBeLessThanOrEqual(4 * 1024 * 1024);
    });

    claim("who fills the disk with many files is ended", async () => {
      const script = `i=0; while :; do i=$((i+1)); head -c 500000 /dev/urandom > f$i || exit 9; [ $i -lt 100 ] || sleep 0.1; done`;
      expect((await play(order(script), confinement({ diskMb: 8 }))).end.stopped).toBe("disk");
    });

    claim("who takes more memory than allowed is ended", async () => {
      const script = `x=$(head -c 150000000 /dev/zero | tr '\\0' x); echo "${"$"}{#x}"; sleep 60`;
      const { end } = await play(order(script), confinement({ memoryMb: 64 }));
      expect(end.exit === 0).toBe(false);
    });

    claim("who starts more processes than allowed is ended", async () => {
      const script = `i=0; while [ $i -lt 60 ]; do i=$((i+1)); sleep 60 & done; wait`;
      const { end } = await play(order(script), confinement({ processes: 30 }));
      expect(end.exit === 0).toBe(false);
      expect(end.stopped === "too long").toBe(false);
    });

    claim("it cannot read a file outside", async () => {
      const { lines, end } = await play(
        order(`cat ${at("elsewhere/secret")} && ls ${at("elsewhere")} /root /home/*`),
      );
      expect(lines.join("\n")).not.toContain(secret);
      expect(end.exit === 0).toBe(false);
    });

    claim("it writes nowhere but in its folder", async () => {
      const places = [at("elsewhere/new"), at("new"), "/usr/new", "/etc/new", "/new"];
      await play(order(places.map((path) => `echo bad > ${path}`).join("; ")));
      expect(places.filter((path) => existsSync(path))).toEqual([]);
    });

    claim("what it may read, it cannot write", async () => {
      const within = confinement({}, { write: [], read: [at("tree")] });
      const { lines } = await play(order(`cat here; echo changed > here; rm here; mv here there`), within);
      expect(lines).toEqual(["as it was"]);
      expect(readFileSync(at("tree/here"), "utf8")).toBe("as it was\n");
    });

    claim("a link it makes leads it nowhere", async () => {
      const { lines } = await play(order(`ln -s ${at("elsewhere")} out; cat out/secret; echo bad > out/new`));
      expect(lines.join("\n")).not.toContain(secret);
      expect(existsSync(at("elsewhere/new"))).toBe(false);
    });

    claim("it sees no process but its own", async () => {
      const { lines } = await play(
        order(
          `for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done; kill -0 ${process.pid} && echo reached`,
        ),
      );
      expect(lines.join("\n")).not.toMatch(/vitest/u);
      expect(lines).not.toContain("reached");
    });

    describe("and the network", () => {
      let server: Server;
      let port: number;
      beforeEach(async () => {
        server = createServer((socket) => socket.end("a service of the host\n"));
        await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
        ({ port } = server.address() as AddressInfo);
      });
      afterEach(() => void server.close());
      const reach = (): ProcessOrder =>
        order(`exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3`, { file: "/bin/bash" });

      claim("with an open one, the host is reached", async () => {
        expect((await play(reach())).lines).toEqual(["a service of the host"]);
      });

      claim("without one, nothing of the host is reached", async () => {
        const { lines } = await play(reach(), confinement({}, { network: "none" }));
        expect(lines).toEqual([]);
      });

      claim("with one for its model, it reaches that and nothing else", async () => {
        const socket = join(root, `model-${process.pid}.sock`);
        const model = createServer((connection) => connection.end("the model\n"));
        await new Promise<void>((listening) => model.listen(socket, listening));
        try {
          const within = confinement({}, { network: "model", model: { socket, port: 4180 } });
          expect((await play(reach(), within)).lines).toEqual([]);
          const asks = order(`exec 3<>/dev/tcp/127.0.0.1/4180 && cat <&3`, { file: "/bin/bash" });
          expect((await play(asks, within)).lines).toEqual(["the model"]);
        } finally {
          model.close();
        }
      });
    });
    everyExceptionIsAClaim();
  });
}

/** Each leaves a sleeper that bears the mark in its argv and hears no SIGTERM, and then says so. */
const strays: Readonly<Record<string, (mark: string) => string>> = {
  "in the background that holds its stdout": (mark) =>
    `bash -c 'trap "" TERM HUP; exec -a ${mark} sleep 300' & sleep 0.2; echo left one`,
  "in a session of its own": (mark) =>
    `setsid bash -c 'trap "" TERM HUP; exec -a ${mark} sleep 300' > /dev/null 2>&1 < /dev/null & sleep 0.3; echo left one`,
  "forked twice": (mark) =>
    `(setsid bash -c '(trap "" TERM HUP; exec -a ${mark} sleep 300) & exit 0' &) ; sleep 0.3; echo left one`,
  "without its environment": (mark) =>
    `env -i setsid bash -c 'cd / && trap "" TERM HUP; sleep 0.2; exec -a ${mark} sleep 300' > /dev/null 2>&1 < /dev/null & sleep 0.5; echo left one`,
};

/** Processes of this host whose command line begins with this mark. */
function alive(mark: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .filter(
      (pid) =>
        textOf(`/proc/${pid}/cmdline`).startsWith(mark) && !/\) [ZX] /u.test(textOf(`/proc/${pid}/stat`)),
    );
}
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
