/** A server of tools on stdin and stdout: says what it sees, and misbehaves when asked to. */
import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [how, notes] = process.argv.slice(2);
const say = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
if (how === "dies") {
  process.stderr.write("no such wiki\n");
  process.exit(3);
}
if (how === "stubborn") {
  process.on("SIGTERM", () => undefined);
  const child = spawn("sh", ["-c", "trap '' TERM; sleep 600; true"], { detached: true, stdio: "inherit" });
  appendFileSync(notes, `${process.pid} ${child.pid}\n`);
}
const tools = [
  {
    name: "env",
    description: "Its environment.",
    inputSchema: { type: "object" },
    annotations: { readOnlyHint: true },
  },
  {
    name: "put.page",
    description: "Writes a page.",
    inputSchema: { type: "object", properties: { page: { type: "string" } }, required: ["page"] },
  },
  { name: "fails", inputSchema: { type: "object" } },
  { name: "hangs", inputSchema: { type: "object" } },
];
const answers = {
  env: () => ({ content: [{ type: "text", text: JSON.stringify(process.env) }] }),
  "put.page": ({ page }) => ({ content: [{ type: "text", text: `written: ${page} in ${process.cwd()}` }] }),
  fails: () => ({ content: [{ type: "text", text: "the wiki is closed" }], isError: true }),
};
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue;
  if (method === "initialize")
    say({
      id,
      result: {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: "wiki", version: "1" },
      },
    });
  else if (method === "tools/list") say({ id, result: { tools } });
  else if (method === "tools/call") {
    if (params.name === "hangs") continue;
    say({ id, result: answers[params.name](params.arguments) });
  } else say({ id, error: { code: -32601, message: "unknown method" } });
}
