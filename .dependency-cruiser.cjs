/** Who may import whom. Any other arrow, and any cycle, fails the check. */
const only = (from, to, comment) => ({
  name: `${from.name} imports only what it may`,
  comment,
  severity: "error",
  from: { path: from.path, pathNot: "\\.test\\.tsx?$" },
  to: { pathNot: to },
});
const src = (...rooms) => rooms.map((room) => `^src/${room}`);
const npm = (...names) => names.map((name) => `node_modules/${name}(/|$)`);
const node = "^(node:)?[a-z_/]+$";

module.exports = {
  forbidden: [
    { name: "no cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no orphans",
      severity: "error",
      from: {
        orphan: true,
        pathNot: [
          "\\.d\\.ts$",
          "^src/(main|cli)",
          "-main\\.[cm]?[jt]s$",
          "\\.test\\.tsx?$",
          "^bootstrap/files",
          "^src/web/assets/",
        ],
      },
      to: {},
    },
    only(
      { name: "state-machine", path: "^src/state-machine/" },
      ["^src/state-machine/"],
      "It decides, and decides alone: no clock, no network, no Node.",
    ),
    only({ name: "review", path: "^src/review/" }, [
      ...src("review/", "state-machine/", "secrets", "untrusted"),
      ...npm("zod", "picomatch", "yaml", "@secretlint/.*"),
      node,
    ]),
    only(
      { name: "certificate", path: "^src/certificate/" },
      [...src("certificate/", "review/", "state-machine/", "store/ledger", "secrets"), ...npm("zod"), node],
      "It makes and verifies from lines of the ledger alone.",
    ),
    only(
      { name: "detection", path: "^bootstrap/detect/" },
      ["^bootstrap/detect/", ...npm("yaml", "smol-toml", "picomatch")],
      "It is given the files of a repository, and reads, runs and asks for nothing else.",
    ),
    only(
      { name: "engine", path: "^src/engine/" },
      [...src("engine/", "sql\\.ts"), ...npm("zod", "better-sqlite3"), node],
      "It knows nothing of tickets and could be lifted out.",
    ),
    only(
      {
        name: "ports",
        path: "^src/ports(-agents|-ci|-hooks|-host|-notices|-threads|-linear|-linear-issues|-linear-sessions|-notify|-seal)?\\.ts",
      },
      src("state-machine/", "review/", "ports\\.ts", "ports-notices", "ports-threads"),
    ),
    only(
      { name: "says", path: "^src/says" },
      src("says", "untrusted", "secrets", "state-machine/", "review/"),
    ),
    only(
      {
        name: "reading webhooks",
        path: "^src/webhooks/(read-|command|authorise|interpret|released|heard|facts|spec-hash|github-events)",
      },
      [
        ...src(
          "webhooks/(read-|command|authorise|interpret|released|heard|facts|spec-hash|github-events)",
          "state-machine/",
          "ports(-agents|-ci|-hooks|-notices|-threads|-linear-issues)?\\.ts",
          "linear-people",
          "nearest",
        ),
        "^bootstrap/labels",
        ...npm("zod", "fastest-levenshtein"),
        node,
      ],
    ),
    only({ name: "webhook server", path: "^src/webhooks/(server|github\\.ts|linear\\.ts)" }, [
      ...src("webhooks/", "store/inbox", "web/", "problems"),
      ...npm("probot", "hono", "@octokit/.*", "zod", "pino"),
      node,
    ]),
    only({ name: "workflows", path: "^src/workflows/" }, [
      ...src(
        "workflows/",
        "engine/",
        "review/",
        "ports(-agents|-ci|-hooks|-notices|-threads)?\\.ts",
        "session-logs",
        "state-machine/",
        "untrusted",
        "secrets",
      ),
      ...npm("zod", "liquidjs"),
      node,
    ]),
    {
      name: "an adapter imports no other room",
      comment:
        "What the engine asks of a machine, and what it takes from a file, is a port like ours, types only.",
      severity: "error",
      from: { path: "^src/adapters/" },
      to: {
        path: "^src/(shell|store|web|webhooks|workflows|engine|simulator|cli|main)",
        pathNot: "^src/engine/(host|workflow|definition|index|jsx-runtime)\\.ts$",
      },
    },
    {
      name: "only files that people wrote are given the engine",
      severity: "error",
      from: { path: "^src/adapters/", pathNot: "^src/adapters/workflows/file\\.ts$" },
      to: { path: "^src/engine/(index|jsx-runtime)\\.ts$" },
    },
    only({ name: "store", path: "^src/store/" }, [
      ...src(
        "store/",
        "ports(-agents|-ci|-dashboard-access|-hooks|-notices|-threads|-linear|-linear-issues|-linear-sessions|-notify|-seal)?\\.ts",
        "sql\\.ts",
        "assets",
        "state-machine/",
      ),
      node,
    ]),
    only(
      { name: "shell", path: "^src/shell/" },
      [
        ...src(
          "shell/",
          "state-machine/",
          "store/",
          "engine/",
          "ports[a-z-]*\\.ts",
          "sql\\.ts",
          "hours",
          "webhooks/(read-|heard|interpret|facts|spec-hash|released|command|authorise)",
          "workflows/",
          "certificate/",
          "review/",
          "says",
          "linear-people",
          "config",
          "untrusted",
          "secrets",
          "pricing",
          "ports-dashboard",
          "session-logs",
          "summary",
          "transcript",
        ),
        node,
      ],
      "Adapters arrive as arguments.",
    ),
    only({ name: "web", path: "^src/web/" }, [
      ...src(
        "web/",
        "store/",
        "engine/trace",
        "state-machine/(explain|ticket)\\.ts",
        "says",
        "assets",
        "ports-dashboard",
        "ports-host",
      ),
      ...npm("hono", "zod", "zod-openapi"),
      node,
    ]),
    only(
      { name: "telemetry", path: "^src/telemetry/" },
      [
        ...src("telemetry/", "store/", "state-machine/", "ports\\.ts", "config-observability"),
        ...npm("prom-client", "@opentelemetry/.*", "yaml"),
        node,
      ],
      "It only looks on: what is at work knows nothing of it.",
    ),
    {
      name: "the simulator knows no room of ours",
      severity: "error",
      from: { path: "^src/simulator/", pathNot: "\\.test\\.ts$" },
      to: { path: "^src/(shell|store|adapters|webhooks|workflows|engine)/" },
    },
    {
      name: "nothing imports the roots",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(main|cli)|^src/redteam/stage\\.ts$" },
      to: { path: "^src/(main|cli)" },
    },
    {
      name: "only the command line plays attacks",
      comment:
        "The room of attacks opens all of forgehand on a simulated forge; nothing that serves may need it.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(redteam|cli)/" },
      to: { path: "^src/redteam/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    parser: "swc",
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["forgehand-source", "import", "require", "node", "default"],
    },
    exclude: { path: "^(dist|test)/" },
  },
};
