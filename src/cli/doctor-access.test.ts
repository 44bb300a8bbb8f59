import { describe, expect, test } from "vitest";
import type { Environment } from "../config-environment.ts";
import { checkAccess } from "./doctor-access.ts";

const url = "https://forgehand.example";
const client = { id: "Iv1.abc", secret: "a-long-secret" };
const github = {} as Environment["github"];
const given = (more: Partial<Environment>) =>
  checkAccess({ host: "127.0.0.1", port: 3000, github, access: undefined, ...more });

describe("who can come in to the dashboard", () => {
  test.each([
    ["its operator, on this host", {}, "ok", /operator in alone/u],
    ["its operator, on a port that is open", { host: "0.0.0.0" }, "ok", /0\.0\.0\.0 beyond this host/u],
    ["people, with the App's client", { access: { publicUrl: url, client } }, "ok", /log in there/u],
    [
      "nobody without the client",
      { access: { publicUrl: url, client: undefined } },
      "warn",
      /client is not/u,
    ],
    [
      "nobody without an App",
      { github: undefined, access: { publicUrl: url, client } },
      "warn",
      /none is set/u,
    ],
    ["nobody without an address", { access: { publicUrl: undefined, client } }, "warn", /no address is set/u],
  ] as const)("%s", (_who, settings, is, what) => {
    const [finding, ...others] = given(settings);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ is, what: expect.stringMatching(what) });
    expect(finding?.fix !== undefined).toBe(is === "warn");
    expect(JSON.stringify(finding)).not.toContain(client.secret);
  });
});
