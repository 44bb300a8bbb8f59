import { expect, test } from "vitest";
import { usualSandbox } from "../config-sandbox.ts";
import { lentInside } from "./doctor-redteam.ts";

const ground = { home: "/ground/home", env: { FORGEHAND_APP_ID: "7001", GITHUB_TOKEN: "honey" } };
const told = {
  PATH: "/bin",
  HOME: "/home/ada",
  // As these come out of the settings file or the keychain.
  FORGEHAND_SANDBOX: "bubblewrap",
  FORGEHAND_APP_ID: "42",
  FORGEHAND_LINEAR_CLIENT_SECRET: "real",
  FORGEHAND_WEBHOOK_SECRET: "real",
  AWS_SECRET_ACCESS_KEY: "real",
};

test("the process that plays is told where agents run, wherever that is set, and none of the operator's secrets", () => {
  const sandbox = { ...usualSandbox, usual: "bubblewrap" as const };
  expect(lentInside(told, { sandbox }, ground)).toEqual({
    ...ground.env,
    PATH: "/bin",
    HOME: "/ground/home",
    FORGEHAND_SANDBOX: "bubblewrap",
  });
  // Only a client of other hosts needs the person's own home.
  const elsewhere = lentInside(told, { sandbox: { ...usualSandbox, usual: "ssh" } }, ground);
  expect(elsewhere).toMatchObject({ HOME: "/home/ada", FORGEHAND_APP_ID: "7001" });
  expect(Object.values(elsewhere)).not.toContain("real");
});
