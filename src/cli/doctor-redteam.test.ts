import { expect, test } from "vitest";
import { insideEnvironment } from "./doctor-redteam.ts";

test("the process that plays is told where agents run, and nothing that opens anything", () => {
  const told = {
    HOME: "/home/ada",
    PATH: "/bin",
    DOCKER_HOST: "tcp://docker",
    FORGEHAND_SANDBOX: "bubblewrap",
    FORGEHAND_APP_ID: "9",
    FORGEHAND_PRIVATE_KEY: "hush",
    FORGEHAND_LINEAR_CLIENT_SECRET: "hush",
  };
  const ground = { home: "/ground/home", env: { FORGEHAND_APP_ID: "7001" } };
  expect(insideEnvironment(told, ground, { sandbox: undefined })).toEqual({
    HOME: "/ground/home",
    PATH: "/bin",
    FORGEHAND_SANDBOX: "bubblewrap",
    FORGEHAND_APP_ID: "7001",
  });
});
