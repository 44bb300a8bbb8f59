import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/adapters/clock.ts";
import { pi, piArguments } from "../../../src/adapters/agents/pi.ts";
import { localSandbox } from "../../../src/adapters/sandboxes/local.ts";
import type { Confinement, Sandbox } from "../../../src/adapters/sandboxes/sandbox.ts";
import { at, make, notes, onStage, order, script, scriptSample } from "./stage.ts";
import { usages, work } from "./turns.ts";

onStage();

describe("pi", () => {
  const session = "01a1feb0-09c4-7405-81e6-3d355e9f4894";
  const keep = (header: object): string => {
    mkdirSync(join(at("state"), "pi-sessions"), { recursive: true });
    const path = join(at("state"), "pi-sessions", `2026-11-21T15-18-32-133Z_${session}.jsonl`);
    writeFileSync(path, `${JSON.stringify(header)}\n{"type":"message"}\n`);
    return path;
  };
  const resume = async (cwd: string): Promise<readonly string[]> => {
    const path = keep({ type: "session", id: session, cwd });
    scriptSample("pi-resume");
    expect((await work(make("pi"), order({ resume: session }))).outcome.is).toBe("done");
    return (notes().at(-1)?.args ?? []).filter((arg) => arg === path || /^--(?:session|fork)$/u.test(arg));
  };

  const flag = (name: string): string => {
    const args = notes().at(-1)?.args ?? [];
    return args[args.indexOf(name) + 1] ?? "";
  };

  test("a session goes on by its own file, and as a copy where the worktree is another one", async () => {
    expect(await resume(at("tree"))).toEqual(["--session", expect.stringContaining(session)]);
    expect(await resume("/elsewhere")).toEqual(["--fork", expect.stringContaining(session)]);
  });

  test.each([{ type: "session", id: "another", cwd: "/" }, { type: "message" }])(
    "a session whose file begins with %j is no longer known, and is left as it is",
    async (header) => {
      const path = keep(header);
      const before = readFileSync(path, "utf8");
      scriptSample("pi-resume");
      const { outcome } = await work(make("pi"), order({ resume: session }));
      expect(outcome).toMatchObject({ how: "give-up", code: "session-unknown" });
      expect(existsSync(at("notes"))).toBe(false);
      expect(readFileSync(path, "utf8")).toBe(before);
    },
  );

  test.each(["local", "bubblewrap"] as const)(
    "in %s a session lies with its own work, where no other finds it",
    async (name) => {
      const seen: Confinement[] = [];
      const sandbox: Sandbox = {
        name,
        enter: async (order, confinement) => {
          seen.push(confinement);
          return { order, leave: async () => undefined };
        },
        probe: async () => ({ found: true, version: "1", why: undefined }),
      };
      const agent = pi({
        binary: at("fake"),
        host: {
          home: at("home"),
          searchPath: "/usr/bin:/bin",
          tmp: tmpdir(),
          own: { FAKE: at("part.json") },
        },
        stateDir: at("state"),
        clock: systemClock(),
        quarters: { sandbox, network: "open", limits: {}, root: at("lodgings") },
      });
      scriptSample("pi-edit");
      const [said] = (await work(agent, order())).says;
      if (said?.type !== "session") throw new Error("it said no session");
      const sessions = flag("--session-dir");
      const header = { type: "session", id: said.id, cwd: at("tree") };
      writeFileSync(join(sessions, `1_${said.id}.jsonl`), `${JSON.stringify(header)}\n`);
      expect((await work(agent, order({ resume: said.id }))).outcome.is).toBe("done");
      expect([flag("--session-dir"), flag("--session")]).toEqual([
        sessions,
        join(sessions, `1_${said.id}.jsonl`),
      ]);
      await work(agent, order());
      expect(flag("--session-dir")).not.toBe(sessions);
      expect(seen[2]?.write.filter((path) => sessions.startsWith(path))).toEqual([]);
    },
  );

  test("each run is charged by its own count, even of a session that went on", async () => {
    scriptSample("pi-edit");
    const first = await work(make("pi"), order());
    expect(usages(first.says)).toHaveLength(4);
    expect(usages(first.says)[0]).toMatchObject({ inputTokens: 1000, outputTokens: 40, usd: 0.006 });
    keep({ type: "session", id: session, cwd: at("tree") });
    scriptSample("pi-resume");
    const second = await work(make("pi"), order({ resume: session }));
    expect(usages(second.says)).toMatchObject([{ inputTokens: 1000, outputTokens: 40 }]);
  });

  test("what a killed run used is charged by what was seen of it", async () => {
    scriptSample("pi-hang-SIGTERM");
    const { says } = await work(make("pi"), order());
    expect(usages(says)).toMatchObject([{ inputTokens: 1000, outputTokens: 7, usd: undefined }]);
  });

  test("the form of the answer is asked for in words, and read from them", async () => {
    scriptSample("pi-schema");
    const schema = { type: "object", properties: { status: { type: "string" } } };
    const { outcome } = await work(make("pi"), order({ schema }));
    expect(outcome).toMatchObject({ is: "done", structured: { status: "done", summary: "all good" } });
    expect(notes()[0]?.stdin).toMatch(/^Do it\.\n[\s\S]*"properties": ?\{\s*"status"/u);
  });

  test("a login or a provider with a key of its own counts, and an empty file of logins does not", async () => {
    const folder = join(at("home"), ".pi", "agent");
    mkdirSync(folder, { recursive: true });
    const whyNot = async () => (await make("pi").probe()).why;
    script({});
    writeFileSync(join(folder, "auth.json"), "{}");
    expect(await whyNot()).toMatch(/not logged in/u);
    writeFileSync(join(folder, "models.json"), '{"providers":{"local":{"apiKey":"x"}}}');
    expect(await whyNot()).toBeUndefined();
    writeFileSync(join(folder, "models.json"), "{");
    writeFileSync(join(folder, "auth.json"), '{"anthropic":{"type":"oauth"}}');
    expect(await whyNot()).toBeUndefined();
  });

  test("where only our proxy reaches a model it needs a key that can be added, and says so beforehand", async () => {
    script({});
    const quarters = { sandbox: localSandbox(), limits: {}, root: at("lodgings") };
    const probe = (network: "model" | "open", keys: Readonly<Record<string, string>>) =>
      pi({
        binary: at("fake"),
        host: {
          home: at("home"),
          searchPath: "/usr/bin:/bin",
          tmp: tmpdir(),
          own: { FAKE: at("part.json"), ...keys },
        },
        stateDir: at("state"),
        clock: systemClock(),
        quarters: { ...quarters, network },
      }).probe();
    for (const network of ["open", "model"] as const)
      expect(await probe(network, { ANTHROPIC_API_KEY: "k" })).toMatchObject({ found: true, why: undefined });
    expect(await probe("open", { MISTRAL_API_KEY: "k" })).toMatchObject({ why: undefined });
    expect(await probe("model", { MISTRAL_API_KEY: "k" })).toMatchObject({
      found: true,
      why: expect.stringContaining("FORGEHAND_SANDBOX_NETWORK=open"),
    });
  });

  test.each([
    [{ access: "read" }, "--tools read,grep,find,ls"],
    [{ access: "write" }, "--tools read,grep,find,ls,edit,write,bash"],
    [{ access: "write", tools: { deny: ["shell", "edit"] } }, "--tools read,grep,find,ls"],
    [{ access: "read", tools: { allow: ["read", "shell"] } }, "--tools read"],
    [{ access: "read", tools: { allow: ["shell"] } }, "--no-tools"],
    [{ access: "read", effort: "max" }, "--tools read,grep,find,ls --thinking xhigh"],
  ] as const)("an order of %j becomes %s", (change, flags) => {
    const place = { sessions: "/sessions", kept: undefined };
    const args = piArguments(order(change), place).join(" ");
    expect(args).toContain(`--session-dir /sessions ${flags}`);
    expect(args.endsWith(flags)).toBe(true);
  });

  test("servers of tools are refused, since it knows none", async () => {
    scriptSample("pi-edit");
    const mcp = [{ is: "process", name: "docs", command: "docs", args: [], env: {} }] as const;
    const { outcome } = await work(make("pi"), order({ mcp }));
    expect(outcome).toMatchObject({
      how: "blocked",
      code: "tools-unsupported",
      why: expect.stringMatching(/docs/u),
    });
    expect(existsSync(at("notes"))).toBe(false);
  });
});
