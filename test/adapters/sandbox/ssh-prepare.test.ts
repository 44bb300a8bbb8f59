import { expect, test } from "vitest";
import { confinedBy } from "../../../src/adapters/sandboxes/ssh-prepare.ts";

const host = { name: "one", target: "agent@one", port: undefined, cap: 2, root: ".forgehand" };
const offer = { bubblewrap: "yes", git: "yes", missing: [] } as const;
const plan = { sent: [], home: [], mounts: [], git: "none" } as const;
const order = {
  cwd: "/w",
  home: undefined,
  plan: { ...plan, pathsBelow: () => new Map(), sentHome: () => [] },
};

/** What an order there sees of that host, in the order it is laid. */
function seen(place: { readonly house: string; readonly home: string }, searchPath: string) {
  const confinement = { write: [], read: [], network: "open", limits: {} } as const;
  const args = confinedBy(
    { ...offer, ...place },
    `${place.house}/order`,
    { ...host, searchPath },
    order,
    confinement,
  );
  if (args === "unconfined") throw new Error("it was not confined");
  return args.flatMap((one, at) =>
    ["--ro-bind-try", "--tmpfs"].includes(one) ? [`${one} ${args[at + 1]}`] : [],
  );
}

test("the packages beside a folder of programs are seen, unless the user's home or other orders are among them", () => {
  const place = { house: "/home/agent/.forgehand/h", home: "/home/agent" };
  const laid = seen(place, "/opt/node/bin:/home/agent/bin:/home/agent/tools/bin:/home/agent");
  expect(laid.filter((one) => one.includes("/opt/") || one.includes("/home"))).toEqual([
    "--ro-bind-try /opt/node",
    "--ro-bind-try /home/agent/bin",
    "--ro-bind-try /home/agent/tools",
  ]);
});

test("what is secret and lies within the system is hidden before programs are laid over it", () => {
  const laid = seen({ house: "/opt/agents/h", home: "/opt/agent" }, "/opt/agent/bin");
  expect(laid.filter((one) => one.includes("/opt"))).toEqual([
    "--ro-bind-try /opt",
    "--tmpfs /opt/agents/h",
    "--tmpfs /opt/agent",
    "--ro-bind-try /opt/agent/bin",
  ]);
});
