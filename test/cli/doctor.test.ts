import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { thisProcess } from "../../src/adapters/owner.ts";
import { versionsIn } from "../../src/backup/copy.ts";
import { startHub, type RunningHub } from "../../src/simulator/hub/hub.ts";
import { labelNames } from "../../bootstrap/labels.ts";
import { openFront, type Answer, type Asked, type Front } from "../contract/front.ts";
import { fillDatabase } from "./filled.ts";
import { run, type Ended } from "./run.ts";

interface Check {
  readonly group: string;
  readonly is: "ok" | "warn" | "fail";
  readonly what: string;
  readonly fix: string | null;
  readonly mendable: boolean;
}
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "doctor-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const quiet = { FORGEHAND_PORT: "0" };
async function doctor(
  env: Readonly<Record<string, string>>,
  ...argv: string[]
): Promise<Ended & { readonly checks: readonly Check[]; failing(group: string): readonly Check[] }> {
  const ended = await run(["doctor", "--json", ...argv], { ...quiet, ...env }, dir);
  const { data } = JSON.parse(ended.out) as { data: { checks: readonly Check[] } };
  return {
    ...ended,
    checks: data.checks,
    failing: (group) => data.checks.filter((check) => check.group === group && check.is !== "ok"),
  };
}

describe("doctor on a bare host", () => {
  test("without any configuration says what is missing and what to type", async () => {
    const { checks, code } = await doctor({});
    const failing = checks.filter(({ is }) => is === "fail");
    expect(failing.map(({ group }) => group)).toContain("Settings");
    expect(failing.find(({ group }) => group === "Settings")?.what).toContain("FORGEHAND_APP_ID");
    for (const { fix } of failing) expect(fix).toMatch(/\S/u);
    expect(code).toBe(4);
  });

  test("finds every wrong setting in one look and shows no value", async () => {
    const { failing, out } = await doctor({
      FORGEHAND_APP_ID: "hunter2",
      FORGEHAND_PRIVATE_KEY: "s3cret-value",
      FORGEHAND_WEBHOOK_SECRET_FILE: "/nowhere/secret",
      FORGEHAND_LOG_LEVLE: "info",
    });
    const said = failing("Settings").map(({ what }) => what);
    expect(said.length).toBe(4);
    for (const name of ["APP_ID", "PRIVATE_KEY", "WEBHOOK_SECRET_FILE", "LOG_LEVEL"])
      expect(said.join("\n")).toContain(`FORGEHAND_${name}`);
    expect(out).not.toContain("s3cret-value");
    expect(out).not.toContain("hunter2");
  });

  test("points at a data folder and a secret file that others may read", async () => {
    mkdirSync(join(dir, "data"), { mode: 0o755 });
    writeFileSync(join(dir, "secret"), "x");
    chmodSync(join(dir, "secret"), 0o644);
    const { checks } = await doctor({
      FORGEHAND_DATA_DIR: join(dir, "data"),
      FORGEHAND_WEBHOOK_SECRET_FILE: join(dir, "secret"),
    });
    const fixes = checks.filter(({ is }) => is === "fail").map(({ fix }) => fix);
    expect(fixes).toContain(`chmod 700 ${join(dir, "data")}`);
    expect(fixes).toContain(`chmod 600 ${join(dir, "secret")}`);
  });

  test("tells a settings file that others may read before what may stand in it", async () => {
    const folder = join(dir, ".config", "forgehand");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "forgehand.env"), "FORGEHAND_APP_ID=7\n");
    chmodSync(join(folder, "forgehand.env"), 0o644);
    const { failing } = await doctor({ HOME: dir });
    const [first, second] = failing("Settings");
    expect(first?.fix).toBe(`chmod 600 ${join(folder, "forgehand.env")}`);
    expect(second?.what).toContain("FORGEHAND_APP_ID");
  });

  test("names a runtime that is absent, one that does not start, and one that is logged out", async () => {
    const absent = await doctor({ FORGEHAND_CODEX_BINARY: "/nowhere/codex" });
    expect(absent.failing("Runtimes").find(({ what }) => what.startsWith("codex"))?.fix).toContain(
      "npm install -g @openai/codex",
    );
    const binary = join(dir, "codex");
    writeFileSync(binary, '#!/bin/sh\n[ "$1" = --version ] && echo codex-cli 0.169.0 && exit 0\nexit 1\n', {
      mode: 0o755,
    });
    const out = await doctor({ FORGEHAND_CODEX_BINARY: binary, HOME: dir });
    const codex = out.failing("Runtimes").find(({ what }) => what.startsWith("codex"));
    expect(codex?.what).toBe("codex 0.169.0 is not logged in");
    const keyed = await doctor({ FORGEHAND_CODEX_BINARY: binary, HOME: dir, OPENAI_API_KEY: "sk-x" });
    expect(keyed.failing("Runtimes").some(({ what }) => what.startsWith("codex"))).toBe(false);
  });

  test("looks at a database that is named from here", async () => {
    const auth = await run(
      ["auth", "linear", "--client-credentials", "--json"],
      {
        FORGEHAND_LINEAR_CLIENT_ID: "a",
        FORGEHAND_LINEAR_CLIENT_SECRET: "b",
        FORGEHAND_LINEAR_API_URL: "http://127.0.0.1:1",
      },
      dir,
    );
    // The database is made before Linear is asked, which is not there.
    expect(auth.code).toBe(8);
    const { checks } = await doctor({});
    expect(checks.find(({ group }) => group === "Database")).toMatchObject({ is: "ok" });
  });

  test("shakes hands with each agent of the agents file, and says which versions were tried", async () => {
    const program = fileURLToPath(new URL("../fixtures/acp-agent.mjs", import.meta.url));
    const part = join(dir, "part.json");
    writeFileSync(part, JSON.stringify({ notes: join(dir, "notes") }));
    const agents = join(dir, "agents.yml");
    const entry = (change: string): string =>
      `  protocol: acp\n  command: [${JSON.stringify(process.execPath)}, ${JSON.stringify(program)}]\n  set: { FAKE_ACP: ${JSON.stringify(part)} }\n${change}`;
    writeFileSync(
      agents,
      `house:\n${entry("  version: { from: 1.2.0, below: 1.3.0 }\n")}old:\n${entry("  version: { from: 2.0.0, below: 3.0.0 }\n")}gone: { protocol: acp, command: [/nowhere/agent], setup: get it }\n`,
    );
    const { checks } = await doctor({ FORGEHAND_AGENTS: agents });
    const said = (name: string) =>
      checks.find(({ group, what }) => group === "Runtimes" && what.startsWith(name));
    expect(said("house")).toMatchObject({ is: "ok", what: "house 1.2.3, logged in" });
    expect(said("old")).toMatchObject({ is: "warn" });
    expect(said("old")?.what).toContain("tested with 2.0.0 up to, not including, 3.0.0");
    expect(said("gone")?.fix).toContain("get it");
    // Whose family nobody knows takes no family with it.
    expect(said("gone")?.what).toBe("gone is not installed");
  });

  test("tells every fault of the agents file, and one that is not there", async () => {
    const agents = join(dir, "agents.yml");
    writeFileSync(agents, "a: { use: nobody }\nb:\n  use: opencode\n  modle: x\n");
    const wrong = await doctor({ FORGEHAND_AGENTS: agents });
    const [fault] = wrong.failing("Runtimes");
    expect(fault?.what).toContain(`${agents}:1:6: wrong value of \`a.use\``);
    expect(fault?.what).toContain(`${agents}:4:3: unknown key \`b.modle\`; did you mean \`model\`?`);
    const absent = await doctor({ FORGEHAND_AGENTS: join(dir, "none.yml") });
    expect(absent.failing("Runtimes")[0]?.what).toContain("cannot be read: ENOENT");
  });

  test("a sandbox for a runtime that does not exist is no sandbox for the one that was meant", async () => {
    const { failing, code } = await doctor({ FORGEHAND_SANDBOX: "local,codx=local" });
    expect(failing("Runtimes").map(({ what }) => what)).toContain(
      "The setting FORGEHAND_SANDBOX is wrong: no runtime is called codx; there is claude-code, codex.",
    );
    expect(code).toBe(4);
  });

  test("names a runtime that is to sum runs up and does not exist, which `up` would refuse", async () => {
    const { failing } = await doctor({ FORGEHAND_SUMMARY: "codx:small" });
    expect(failing("Runtimes").map(({ what }) => what)).toContain(
      "The setting FORGEHAND_SUMMARY is wrong: no runtime is called codx; there is claude-code, codex.",
    );
  });

  test("says of hosts that cannot be reached that they do not work, not that ssh is missing", async () => {
    const env = { FORGEHAND_SANDBOX: "ssh", FORGEHAND_SSH_HOSTS: "nobody@127.0.0.1:1" };
    const said = (await doctor(env)).failing("Runtimes").map(({ what }) => what);
    expect(said).toEqual(["the sandbox ssh does not work here"]);
  });

  test("reads a filled database without touching it, and names a ledger that does not hold", async () => {
    const filled = await fillDatabase();
    const whole = await doctor({}, "--database", filled.database);
    expect(whole.checks.filter(({ group, is }) => group === "Database" && is === "fail")).toEqual([]);
    expect(whole.checks.some(({ what }) => what.includes("the ledger holds: 49 lines"))).toBe(true);
    const { default: Database } = await import("better-sqlite3");
    new Database(filled.database).exec("update ledger set actor = 'mallory' where seq = 3").close();
    const broken = await doctor({}, "--database", filled.database);
    expect(broken.failing("Database").some(({ what }) => what.includes("does not hold from line 3"))).toBe(
      true,
    );
    expect(broken.code).toBe(1);
    filled.close();
  });

  describe("with a database of an older version", () => {
    let filled: Awaited<ReturnType<typeof fillDatabase>>;
    beforeEach(async () => {
      filled = await fillDatabase();
      const { default: Database } = await import("better-sqlite3");
      new Database(filled.database)
        .exec(
          `create index ticket_at_hand on ticket (id) where state in ('Ready', 'Rework', 'Gate', 'In Progress', 'Adversarial Review');
           delete from store_migration where number = 4`,
        )
        .close();
    });
    afterEach(() => filled.close());
    const due = (checks: readonly Check[]) =>
      checks.find(({ group, what }) => group === "Database" && what.startsWith("version"));

    test("--fix copies it and brings it up to date, and gives the lease back", async () => {
      const seen = due((await doctor({}, "--database", filled.database)).checks);
      expect(seen).toMatchObject({ is: "warn", mendable: true });
      expect(seen?.fix).toContain("forgehand up");
      const would = due((await doctor({}, "--fix", "--dry-run", "--database", filled.database)).checks);
      expect(would?.fix).toContain("would copy");
      expect(versionsIn(filled.database)?.store).toBe(3);
      const mended = due((await doctor({}, "--fix", "--database", filled.database)).checks);
      expect(mended?.is).toBe("ok");
      const copy = /as it was before: (\S+\.db)$/u.exec(mended?.what ?? "")?.[1] ?? "";
      expect(versionsIn(copy)?.store).toBe(3);
      expect(versionsIn(filled.database)?.store).toBe(4);
      const after = await doctor({}, "--database", filled.database);
      expect(due(after.checks)?.is).toBe("ok");
      expect(after.checks.some(({ what }) => what === "nobody serves it now")).toBe(true);
    });

    test("while the older forgehand still serves it, --fix leaves it and what is at work beside it", async () => {
      const { pid, startedAt, host } = thisProcess();
      const { default: Database } = await import("better-sqlite3");
      const db = new Database(filled.database);
      db.prepare("insert into instance (one, pid, started_at, host, since) values (1, ?, ?, ?, 1)").run(
        pid,
        startedAt,
        host,
      );
      db.close();
      const checkout = join(dir, "data/workspaces/cold/77/review");
      mkdirSync(checkout, { recursive: true });
      const { checks } = await doctor(
        { FORGEHAND_DATA_DIR: join(dir, "data") },
        "--fix",
        "--database",
        filled.database,
      );
      expect(due(checks)).toMatchObject({ is: "warn", mendable: false });
      expect(versionsIn(filled.database)?.store).toBe(3);
      expect(existsSync(checkout)).toBe(true);
    });
  });

  test("a file that is no database is named", async () => {
    const path = join(dir, "x.db");
    writeFileSync(path, "a".repeat(5000));
    const { failing } = await doctor({}, "--database", path);
    expect(failing("Database")[0]?.what).toContain(`${path} is no intact forgehand database`);
  });
});

describe("doctor --redteam", () => {
  const attack = (...argv: string[]) => run(["doctor", "--redteam", "--json", ...argv], { HOME: dir }, dir);

  test("plays the rules of a checkout in a process of its own, and leaves nothing behind", async () => {
    mkdirSync(join(dir, ".github"));
    writeFileSync(
      join(dir, ".github/forgehand.yml"),
      "commands: { test: npm test }\npaths: { protected: [db/**] }\n",
    );
    const { code, out } = await attack("--quick");
    const { schema, data } = JSON.parse(out) as {
      schema: string;
      data: { holds: boolean; configuration: object; attacks: readonly object[] };
    };
    expect(code).toBe(0);
    expect([schema, data.holds]).toEqual(["redteam/1", true]);
    expect(data.configuration).toEqual({
      sandbox: "local",
      config: join(dir, ".github/forgehand.yml"),
      setAside: ["commands"],
    });
    expect(data.attacks.length).toBeGreaterThan(500);
    expect(Object.keys(data.attacks[0] ?? {}).toSorted()).toEqual([
      "field",
      "fix",
      "how",
      "id",
      "is",
      "reached",
      "why",
    ]);
    expect(readdirSync(join(dir, ".local/state/forgehand"))).toEqual([]);
  });

  test.each([
    [["--repo", "nowhere"], 5, "there is no folder"],
    [["--fix"], 4, "cannot be used with option"],
  ])("%j is refused with %i", async (argv, exit, words) => {
    const { code, out } = await attack(...argv);
    expect(code).toBe(exit);
    expect((JSON.parse(out) as { error: { message: string } }).error.message).toContain(words);
  });

  test("a configuration that is wrong is named before anything is played", async () => {
    writeFileSync(join(dir, ".forgehand.yml"), "limits: { cycels: 1 }\n");
    const { code, out } = await attack();
    expect(code).toBe(4);
    expect(out).toContain(".forgehand.yml:1:11: Unknown key `limits.cycels`");
  });
});

describe("doctor and GitHub", () => {
  let hub: RunningHub;
  let front: Front;
  let script: (asked: Asked) => Answer | "reset" | undefined;
  beforeAll(async () => {
    hub = await startHub();
    const config = "merge: { method: merge }\nlimits: { cycels: 2 }\n";
    await hub.seed({ owner: "acme", name: "web", files: { ".github/forgehand.yml": config } });
    front = await openFront({ behind: hub.url, script: (asked) => script(asked) });
  });
  afterAll(async () => {
    await front.close();
    await hub.close();
  });
  beforeEach(() => {
    script = (asked) => healthy(asked);
  });

  const events = [
    "check_run",
    "check_suite",
    "issue_comment",
    "issues",
    "merge_group",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_review_thread",
    "push",
    "repository",
    "status",
  ];
  const permissions = {
    metadata: "read",
    contents: "write",
    pull_requests: "write",
    issues: "write",
    checks: "write",
    statuses: "read",
    actions: "write",
    merge_queues: "read",
  };
  const app = { id: 7001, slug: "forgehand", name: "forgehand", events, permissions };
  const installation = {
    id: 5001,
    account: { login: "acme" },
    permissions,
    events,
    suspended_at: null,
    html_url: "https://github.com/organizations/acme/settings/installations/5001",
  };
  const at = (asked: Asked): string => asked.path.replace(/\?.*/u, "");
  const isToken = (asked: Asked): boolean => (asked.token ?? "").split(".").length === 3;
  const appIn = (asked: Asked): number => {
    const claims = Buffer.from((asked.token ?? "").split(".")[1] ?? "", "base64url").toString("utf8");
    return Number((JSON.parse(claims) as { iss: string | number }).iss);
  };
  function healthy(asked: Asked): Answer | undefined {
    switch (at(asked)) {
      case "/app":
        // An App that is not ours goes on to the forge, which refuses it.
        return appIn(asked) === hub.state.app.id ? { status: 200, body: app } : undefined;
      case "/app/hook/config":
        return { status: 200, body: { url: "https://hand.example/webhooks/github" } };
      case "/app/hook/deliveries":
        return { status: 200, body: [] };
      case "/app/installations":
        return isToken(asked) ? { status: 200, body: [installation] } : undefined;
      case "/repos/acme/web/labels":
        return { status: 200, body: labelNames.map((name) => ({ name })) };
      default:
        return undefined;
    }
  }
  const settings = (more: Readonly<Record<string, string>> = {}) => ({
    FORGEHAND_APP_ID: String(hub.state.app.id),
    FORGEHAND_PRIVATE_KEY: hub.state.app.privateKey,
    FORGEHAND_WEBHOOK_SECRET: hub.state.app.webhookSecret,
    FORGEHAND_GITHUB_API_URL: front.url,
    ...more,
  });
  const before =
    (path: string, body: unknown) =>
    (asked: Asked): Answer | undefined =>
      at(asked) === path ? { status: 200, body } : healthy(asked);

  test("a wrong key of the configuration is named with its line and the nearest key", async () => {
    const { failing } = await doctor(settings());
    const [wrong, ...rest] = failing("Repositories");
    expect(wrong?.what).toBe(
      "acme/web/.github/forgehand.yml:2:11: Unknown key `limits.cycels`. Did you mean `cycles`?",
    );
    // What nobody demands is worth a look, and no failure.
    expect(rest.map(({ is }) => is)).toEqual(["warn", "warn"]);
  });

  test("a persona that cannot be read is named, since nothing starts before it is right", async () => {
    const folder = ".forgehand/personas";
    script = before(`/repos/acme/web/contents/${encodeURIComponent(folder)}`, [
      { type: "file", name: "builder.md", path: `${folder}/builder.md`, size: 1e9 },
    ]);
    const said = (await doctor(settings())).failing("Repositories").map(({ what }) => what);
    expect(said).toContainEqual(
      expect.stringMatching(/^acme\/web\/\.forgehand\/personas\/builder\.md:1:1: .*too big/u),
    );
  });

  test("rules that no merge of ours can meet are named", async () => {
    script = before("/repos/acme/web/rules/branches/main", [
      { type: "update" },
      { type: "required_linear_history" },
      { type: "pull_request", parameters: { allowed_merge_methods: ["squash"] } },
      { type: "deletion" },
    ]);
    const said = (await doctor(settings())).failing("Repositories").map(({ what }) => what);
    expect(said.filter((what) => what.startsWith("Nothing can ever be merged into main")).length).toBe(2);
    expect(said.join("\n")).toContain("`merge.method` is merge, and a rule of main allows only squash");
  });

  test("missing labels come with the commands that make them", async () => {
    script = before(
      "/repos/acme/web/labels",
      labelNames.slice(1).map((name) => ({ name })),
    );
    const [missing] = (await doctor(settings()))
      .failing("Repositories")
      .filter(({ what }) => what.includes("labels"));
    expect(missing?.what).toBe("acme/web lacks the labels agent-ready");
    expect(missing?.fix).toMatch(
      /^gh label create 'agent-ready' --repo acme\/web --color 0e8a16 --description '/u,
    );
  });

  test("with --fix it creates the labels and closes the files; --dry-run only tells; the rest stays to be typed", async () => {
    script = (asked) =>
      at(asked) === "/repos/acme/web/labels"
        ? asked.method === "GET"
          ? { status: 200, body: [...(hub.state.repos[0]?.labels.keys() ?? [])].map((name) => ({ name })) }
          : undefined
        : healthy(asked);
    const data = join(dir, "data");
    const here = settings({ FORGEHAND_DATA_DIR: data });
    mkdirSync(data, { mode: 0o755 });
    const isOpen = (): boolean => (statSync(data).mode & 0o077) !== 0;
    const labelsThere = (): number => hub.state.repos[0]?.labels.size ?? 0;
    const before = labelsThere();
    const only = await doctor(here, "--fix", "--dry-run");
    const told = only.checks.filter(({ mendable }) => mendable).map(({ fix }) => fix);
    expect(told).toEqual([
      `\`forgehand doctor --fix\` would close ${data} to others`,
      expect.stringMatching(
        /^`forgehand doctor --fix` would create the labels agent-ready, .* in acme\/web$/u,
      ),
    ]);
    expect([isOpen(), labelsThere()]).toEqual([true, before]);
    const fixed = await doctor(here, "--fix");
    expect([isOpen(), labelsThere()]).toEqual([false, before + labelNames.length]);
    expect(fixed.checks.filter(({ what }) => what.includes(": mended, ")).map(({ is }) => is)).toEqual([
      "ok",
      "ok",
    ]);
    // The wrong key of its configuration is for a person.
    expect(fixed.failing("Repositories")[0]?.what).toContain("limits.cycels");
    expect(fixed.code).toBe(4);
    const again = await doctor(here);
    expect(again.checks.some(({ mendable }) => mendable)).toBe(false);
    expect(new Set(again.checks.map((check) => Object.keys(check).join(" ")))).toEqual(
      new Set(["group is what fix mendable"]),
    );
  });

  test("a repository that is archived is named, and nothing else is asked of it", async () => {
    script = before("/repos/acme/web", {
      archived: true,
      html_url: "https://github.com/acme/web",
      has_issues: true,
    });
    const said = (await doctor(settings())).failing("Repositories");
    expect(said.map(({ what }) => what)).toEqual(["acme/web is archived: nothing can be written there"]);
  });

  test("a fork is told, and an installation that is suspended fails with the page that lifts it", async () => {
    script = before("/repos/acme/web", {
      archived: false,
      fork: true,
      parent: { full_name: "upstream/web" },
      html_url: "https://github.com/acme/web",
      has_issues: true,
    });
    const told = (await doctor(settings())).failing("Repositories").map(({ what }) => what);
    expect(told).toContain("acme/web is a fork: its pull requests stay in it and never reach upstream/web");
    script = before("/app/installations", [{ ...installation, suspended_at: "2026-01-05T00:00:00Z" }]);
    const { checks } = await doctor(settings());
    const suspended = checks.find(({ what }) => what === "the installation on acme is suspended");
    expect(suspended).toMatchObject({ is: "fail", fix: `lift that at ${installation.html_url}` });
  });

  test("what GitHub finds wrong with CODEOWNERS, and a budget that is nearly gone, is told", async () => {
    script = (asked) => {
      if (at(asked) === "/repos/acme/web/codeowners/errors")
        return {
          status: 200,
          body: {
            errors: [{ path: "CODEOWNERS", line: 3, column: 1, kind: "Unknown owner", suggestion: null }],
          },
        };
      if (at(asked) === "/rate_limit")
        return {
          status: 200,
          body: { resources: { core: { limit: 5000, remaining: 12, reset: 1_800_000_000 } } },
        };
      return healthy(asked);
    };
    const { failing } = await doctor(settings());
    expect(failing("Repositories").map(({ what }) => what)).toContain(
      "acme/web/CODEOWNERS:3:1: Unknown owner; that line asks nobody for a review",
    );
    expect(failing("GitHub").map(({ what }) => what)).toContain(
      "acme: 12 of 5000 requests are left this hour",
    );
  });

  test("permissions and events that were not granted are named, with the page that grants them", async () => {
    script = (asked) => {
      if (at(asked) === "/app") return { status: 200, body: { ...app, events: events.slice(1) } };
      if (at(asked) !== "/app/installations") return healthy(asked);
      const less = { ...permissions, checks: "read" };
      return { status: 200, body: [{ ...installation, permissions: less }] };
    };
    const { failing } = await doctor(settings());
    const said = failing("GitHub");
    expect(said.map(({ what }) => what)).toContain("The App lacks checks: write on acme.");
    expect(said.some(({ fix }) => fix?.includes(installation.html_url))).toBe(true);
    expect(said.map(({ what }) => what)).toContain("the App does not subscribe to check_run");
  });

  test("a webhook that points elsewhere, and one signed with another secret", async () => {
    script = before("/app/hook/config", { url: "https://example.com/hook" });
    expect((await doctor(settings())).failing("GitHub")[0]?.what).toContain("https://example.com/hook");
    const refused = { event: "issues", delivered_at: new Date(0).toISOString(), status_code: 401 };
    script = before("/app/hook/deliveries", [refused, refused]);
    const said = (await doctor(settings())).failing("GitHub").map(({ what }) => what);
    expect(said).toContain(
      "GitHub's deliveries are signed with another secret than FORGEHAND_WEBHOOK_SECRET.",
    );
  });

  test("an App id that does not fit the key is refused with 6 unless something worse is found", async () => {
    const { failing } = await doctor(settings({ FORGEHAND_APP_ID: "999" }));
    expect(failing("GitHub").at(-1)?.what).toContain(
      "GitHub does not accept App 999 with this private key (401)",
    );
  });

  test("a clock that is off is named", async () => {
    script = (asked) =>
      at(asked) === "/meta"
        ? { status: 200, body: {}, headers: { date: new Date(Date.now() - 300_000).toUTCString() } }
        : healthy(asked);
    expect((await doctor(settings())).failing("GitHub")[0]?.what).toMatch(/this clock is 29\d|30\d s ahead/u);
  });

  test("without a network it says so and ends with 8 when all else is well", async () => {
    for (const name of ["claude", "codex"])
      writeFileSync(join(dir, name), "#!/bin/sh\necho 1.2.3\n", { mode: 0o755 });
    const env = settings({
      FORGEHAND_GITHUB_API_URL: "http://127.0.0.1:9",
      FORGEHAND_CLAUDE_CODE_BINARY: join(dir, "claude"),
      FORGEHAND_CODEX_BINARY: join(dir, "codex"),
      ANTHROPIC_API_KEY: "x",
      OPENAI_API_KEY: "x",
    });
    const { failing, code, checks } = await doctor(env);
    expect(failing("GitHub")[0]?.what).toContain("GitHub cannot be reached at http://127.0.0.1:9");
    expect(checks.filter(({ is }) => is === "fail").length).toBe(1);
    expect(code).toBe(8);
  });
});
