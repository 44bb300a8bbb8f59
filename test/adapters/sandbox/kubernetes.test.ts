import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Job } from "kubernetes-models/batch/v1/Job";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/adapters/clock.ts";
import { manifests } from "../../../src/adapters/sandboxes/kubernetes-manifest.ts";
import { thisProcess } from "../../../src/adapters/owner.ts";
import { kubernetesSandbox, type KubernetesOptions } from "../../../src/adapters/sandboxes/kubernetes.ts";
import type { Confinement } from "../../../src/adapters/sandboxes/sandbox.ts";
import { travelPlan } from "../../../src/adapters/sandboxes/travel-plan.ts";
import { carryOut, openWorkshop, run, type Workshop } from "./stage.ts";

let shop: Workshop;
beforeEach(() => {
  shop = openWorkshop({ "src/app.ts": "one\n", "old.txt": "old\n" });
});
afterEach(() => shop.close());

describe("the manifests of an order", () => {
  const made = (confinement: Confinement, runtimeClass?: string) => {
    const facts = {
      name: "forgehand-0-0",
      runId: "house/run",
      cwd: shop.tree,
      owner: thisProcess(),
      turnMs: 60_000,
    };
    const plan = travelPlan({ cwd: shop.tree }, confinement);
    return manifests({ image: "agents:1", runtimeClass, user: 1000 }, facts, plan, confinement);
  };

  test("are what Kubernetes' own schemas ask for", () => {
    shop.write("login/ca.pem", "");
    const within = shop.confinement({
      read: [join(shop.folder, "login/ca.pem")],
      network: "none",
      limits: { memoryMb: 2048, cpus: 1.5, diskMb: 500 },
    });
    const [policy, job] = made(within, "gvisor");
    new NetworkPolicy(policy).validate();
    new Job(job).validate();
    const broken = structuredClone(job) as { spec: { backoffLimit: unknown } };
    broken.spec.backoffLimit = "none";
    expect(() => new Job(broken as never).validate()).toThrow(/backoffLimit/u);
  });

  test("run once, for a limited time, as nobody in particular, and reach nothing of the cluster", () => {
    const within = shop.confinement({ network: "none", limits: { memoryMb: 2048, cpus: 1.5, diskMb: 500 } });
    const [policy, job] = made(within, "gvisor");
    expect(policy).toMatchObject({
      kind: "NetworkPolicy",
      spec: {
        podSelector: { matchLabels: { "forgehand/job": "forgehand-0-0" } },
        policyTypes: ["Ingress", "Egress"],
      },
    });
    const locked = {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ["ALL"] },
    };
    expect(job).toMatchObject({
      kind: "Job",
      metadata: { labels: { "app.kubernetes.io/managed-by": "forgehand" } },
      spec: {
        backoffLimit: 0,
        activeDeadlineSeconds: 1_860,
        template: {
          spec: {
            restartPolicy: "Never",
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            runtimeClassName: "gvisor",
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 1000,
              seccompProfile: { type: "RuntimeDefault" },
            },
            containers: [
              {
                name: "agent",
                securityContext: locked,
                resources: { limits: { memory: "2048Mi", cpu: "1500m" } },
              },
              { name: "courier", securityContext: locked },
            ],
          },
        },
      },
    });
    expect(JSON.stringify(job)).toContain(`"mountPath":"${shop.tree}"`);
    expect(made(shop.confinement())).toHaveLength(1);
  });

  test("cannot lead to the model by our proxy, and say so", () => {
    const within = shop.confinement({ network: "model", model: { socket: "/nowhere", port: 4180 } });
    expect(() => made(within)).toThrow(/FORGEHAND_SANDBOX_NETWORK to open or none/u);
  });
});

const bubblewrap =
  spawnSync("bwrap", ["--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "true"]).status === 0;
describe.skipIf(!bubblewrap)("agents in pods, as kubectl is told", () => {
  let state: string;
  beforeEach(() => {
    state = join(shop.folder, "cluster");
    mkdirSync(join(state, "bin"), { recursive: true });
    copyFileSync(join(import.meta.dirname, "kubectl-stand-in.mjs"), join(state, "bin", "kubectl"));
    chmodSync(join(state, "bin", "kubectl"), 0o755);
  });
  const cluster = (more: Partial<KubernetesOptions> = {}) =>
    kubernetesSandbox({
      binary: "kubectl",
      env: {
        PATH: `${join(state, "bin")}:${dirname(process.execPath)}:/usr/bin:/bin`,
        HOME: shop.folder,
        KUBECTL_STAND_IN: state,
      },
      context: "test",
      namespace: "agents",
      image: "agents:1",
      runtimeClass: undefined,
      user: 1000,
      stateDir: join(shop.folder, "state"),
      clock: systemClock(),
      // A set of its own, as another process would have.
      live: new Set(),
      ...more,
    });
  const jobs = (): readonly string[] =>
    existsSync(join(state, "jobs")) ? readdirSync(join(state, "jobs")) : [];
  const calls = (): string => readFileSync(join(state, "calls"), "utf8");
  const read = (path: string): string => readFileSync(join(shop.tree, path), "utf8");

  test("an order runs there, and what it changed comes home", async () => {
    shop.write("login/ca.pem", "authority\n");
    const authority = join(shop.folder, "login/ca.pem");
    const script = [
      'cat; echo "$PWD $RUN_ID"; cat "$CA"; echo "$API_KEY" >&2; env | grep -c KUBE',
      "echo two > src/app.ts; rm old.txt; ln -s src/app.ts link; git log --format=%s; exit 3",
    ].join("; ");
    const order = shop.order(script, {
      stdin: "said\n",
      env: { PATH: "/ours", CA: authority, API_KEY: "sk-dummy" },
    });
    const { lines, end } = await carryOut(
      cluster(),
      order,
      shop.confinement({ read: [authority], network: "none" }),
    );
    expect(lines).toEqual(["said", `${shop.tree} ${order.runId}`, "authority", "0", "base"]);
    expect([end.exit, end.stderr]).toEqual([3, "sk-dummy\n"]);
    expect([read("src/app.ts"), read("link"), existsSync(join(shop.tree, "old.txt"))]).toEqual([
      "two\n",
      "two\n",
      false,
    ]);
    expect(read(".git")).toBe("gitdir: /nowhere\n");
    expect(jobs()).toEqual([]);
    expect(readdirSync(state).filter((name) => name.startsWith("NetworkPolicy"))).toEqual([]);
    expect(calls()).not.toContain("sk-dummy");
    expect(
      calls()
        .split("\n")
        .every((line) => line === "" || line.includes('"--context","test","--namespace","agents"')),
    ).toBe(true);
  });

  test("leaving ends it and brings home what it had", async () => {
    const order = shop.order("echo half > half.txt; echo up; sleep 600");
    const entered = await cluster().enter(order, shop.confinement());
    const running = run({ ...entered.order, place: "shared", runId: `the client of ${order.runId}` });
    while (!existsSync(halfIn())) await pause();
    await entered.leave();
    expect((await running).end.exit).toBe(137);
    expect(read("half.txt")).toBe("half\n");
    await entered.leave();
    expect(jobs()).toEqual([]);
  });

  test("a second start of the same order finds the first, ends it and takes its work home before it begins", async () => {
    const order = shop.order("echo half > half.txt; sleep 600");
    const crashed = await cluster().enter(order, shop.confinement());
    const running = run({ ...crashed.order, place: "shared", runId: `the client of ${order.runId}` });
    while (!existsSync(halfIn())) await pause();
    const [before] = jobs();
    const again = await cluster().enter({ ...order, args: ["-c", "cat half.txt"] }, shop.confinement());
    expect(jobs()).toEqual([before]);
    expect((await running).end.exit).toBe(137);
    expect((await run(again.order)).lines).toEqual(["half"]);
    expect((await run(again.order)).end.exit).toBe(97);
    await again.leave();
  });

  /** Owned by a process that is gone. */
  const orphan = (name: string): void => {
    const path = join(state, "jobs", name, "job.json");
    const job = JSON.parse(readFileSync(path, "utf8"));
    const owner = { ...thisProcess(), startedAt: "before" };
    job.metadata.annotations["forgehand/owner"] = JSON.stringify(owner);
    writeFileSync(path, JSON.stringify(job));
  };

  test("what another forgehand of this host left there is left to it, for only it can bring the work home", async () => {
    const entered = await cluster().enter(shop.order("echo half > half.txt"), shop.confinement());
    await run(entered.order);
    orphan(jobs()[0] ?? "none");
    await cluster({ stateDir: join(shop.folder, "state of another") }).recover?.();
    expect(jobs()).toHaveLength(1);
    await cluster().recover?.();
    expect(jobs()).toEqual([]);
    expect(read("half.txt")).toBe("half\n");
  });

  test("one that cannot be brought home keeps no other from it", async () => {
    const other = openWorkshop({ "README.md": "" });
    try {
      for (const one of [shop, other]) {
        const entered = await cluster().enter(one.order("echo half > half.txt"), one.confinement());
        await run(entered.order);
      }
      const [first = "none"] = jobs();
      for (const name of jobs()) orphan(name);
      // Its folders cannot be fetched.
      rmSync(join(state, "jobs", first, "volumes", "f0"), { recursive: true });
      await expect(cluster().recover?.()).rejects.toMatchObject({ code: "sandbox-failed" });
      expect(jobs()).toEqual([first]);
    } finally {
      other.close();
    }
  });

  test("what an earlier run could not bring home comes home before another begins in the same worktree", async () => {
    const sandbox = cluster();
    const entered = await sandbox.enter(shop.order("echo half > half.txt"), shop.confinement());
    await run(entered.order);
    writeFileSync(join(state, "down"), "");
    await expect(entered.leave()).rejects.toMatchObject({ code: "sandbox-failed" });
    rmSync(join(state, "down"));
    const { lines } = await carryOut(sandbox, shop.order("cat half.txt"), shop.confinement());
    expect(lines).toEqual(["half"]);
    expect(jobs()).toEqual([]);
  });

  test("many Jobs beside it hide none", async () => {
    const entered = await cluster().enter(shop.order("echo new > new.txt"), shop.confinement());
    await run(entered.order);
    const [name = "none"] = jobs();
    const job = JSON.parse(readFileSync(join(state, "jobs", name, "job.json"), "utf8"));
    for (let count = 0; count < 40; count += 1) {
      const metadata = { ...job.metadata, name: `another-${count}` };
      mkdirSync(join(state, "jobs", metadata.name));
      const text = JSON.stringify({ ...job, metadata, status: { message: "x".repeat(10_000) } });
      writeFileSync(join(state, "jobs", metadata.name, "job.json"), text);
    }
    await entered.leave();
    expect(read("new.txt")).toBe("new\n");
    expect(jobs()).toHaveLength(40);
  });

  test("a pod that does not get ready leaves nothing behind, and says why", async () => {
    writeFileSync(join(state, "unready"), "");
    await expect(cluster().enter(shop.order("true"), shop.confinement())).rejects.toMatchObject({
      code: "sandbox-failed",
      message: expect.stringContaining("ErrImagePull"),
      retryAt: expect.any(Number),
    });
    expect(jobs()).toEqual([]);
  });

  test("a pod that is gone with the work is said once, and does not stand in the way", async () => {
    const sandbox = cluster();
    const entered = await sandbox.enter(shop.order("true"), shop.confinement());
    spawnSync("rm", ["-r", join(state, "jobs", jobs()[0] ?? "none")]);
    await expect(entered.leave()).rejects.toMatchObject({ code: "sandbox-lost", permanent: true });
    await entered.leave();
    expect((await carryOut(sandbox, shop.order("echo on"), shop.confinement())).lines).toEqual(["on"]);
  });

  test("what is missing is said with what to type", async () => {
    expect(await cluster().probe()).toEqual({ found: true, version: "1.31.2", why: undefined });
    writeFileSync(join(state, "forbidden"), "");
    expect((await cluster().probe()).why).toContain("may not create pods/exec in the namespace agents");
    writeFileSync(join(state, "down"), "");
    expect((await cluster().probe()).why).toContain("kubectl config get-contexts");
    expect(await cluster({ binary: "no-kubectl-here" }).probe()).toMatchObject({ found: false });
  });

  const halfIn = (): string => join(state, "jobs", jobs()[0] ?? "none", "volumes", "f0", "half.txt");
});

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
