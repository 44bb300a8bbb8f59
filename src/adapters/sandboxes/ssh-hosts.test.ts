import { describe, expect, test } from "vitest";
import { hostsToTry, readSshHosts, type SshHost } from "./ssh-hosts.ts";

describe("hosts as an operator writes them", () => {
  test("may have a user, a port and options", () => {
    expect(
      readSshHosts("build-1, ada@[fe80::1]:2222?cap=4&root=/srv/agents&path=/opt/node/bin:/opt/bin"),
    ).toEqual([
      {
        name: "build-1",
        target: "build-1",
        port: undefined,
        cap: 2,
        root: ".forgehand",
        searchPath: undefined,
      },
      {
        name: "ada@[fe80::1]:2222",
        target: "ada@fe80::1",
        port: 2222,
        cap: 4,
        root: "/srv/agents",
        searchPath: "/opt/node/bin:/opt/bin",
      },
    ]);
  });

  test.each([
    ["-oProxyCommand=evil", "is no host"],
    ["ada@-evil", "is no host"],
    ["a b", "is no host"],
    ["ada@build:99999", "is no host"],
    ["build?cap=0", "cap is a whole number"],
    ["build?cap=many", "cap is a whole number"],
    ["build?limit=2", "has no option limit; there is cap, root and path"],
    ["build?root=/srv/$(id)", "root is a folder's path"],
    ["build?root=../up", "root is a folder's path"],
    ["build?path=bin", "path begins with /"],
    ["build,build?cap=3", "build is named twice"],
    [" , ", "it names no host"],
  ])("%s is wrong, and it is said how", (text, wrong) => {
    expect(readSshHosts(text)).toEqual({ wrong: expect.stringContaining(wrong) });
  });
});

describe("the hosts to try", () => {
  const host = (name: string, cap: number): SshHost => ({
    name,
    target: name,
    port: undefined,
    cap,
    root: ".forgehand",
    searchPath: undefined,
  });
  const hosts = [host("small", 1), host("large", 4), host("middle", 2)];
  const names = (taken: Readonly<Record<string, number>>, previous?: string) =>
    hostsToTry(hosts, new Map(Object.entries(taken)), previous).map(({ name }) => name);

  test("begin with the previous one, then with who has most of its room free", () => {
    expect(names({})).toEqual(["small", "large", "middle"]);
    expect(names({ large: 1 }, "middle")).toEqual(["middle", "small", "large"]);
    expect(names({ large: 3, middle: 1 })).toEqual(["small", "middle", "large"]);
  });

  test("are never full ones, not even the previous", () => {
    expect(names({ small: 1, middle: 3 }, "small")).toEqual(["large"]);
    expect(names({ small: 1, large: 4, middle: 2 }, "small")).toEqual([]);
  });
});
