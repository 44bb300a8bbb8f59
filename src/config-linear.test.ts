import { expect, test } from "vitest";
import { readEnvironment } from "./config-environment.ts";
import { secretValues } from "./config-secrets.ts";

const noFile = (): string => {
  throw new Error("no file");
};
const acme = "5eed0000-0000-4000-8000-00000000000A";

test("secrets of Linear's webhooks are of an application or of one workspace, those in force first", () => {
  const read = readEnvironment(
    {
      FORGEHAND_LINEAR_WEBHOOK_SECRET: `lin_wh_new, ${acme}=lin_wh_acme==`,
      FORGEHAND_LINEAR_WEBHOOK_SECRET_PREVIOUS: "lin_wh_old",
    },
    noFile,
  );
  expect(read.linearWebhookSecrets).toEqual([
    { secret: "lin_wh_new", workspace: undefined },
    { secret: "lin_wh_acme==", workspace: acme.toLowerCase() },
    { secret: "lin_wh_old", workspace: undefined },
  ]);
  expect(secretValues(read, {}, new Map())).toEqual(["lin_wh_new", "lin_wh_acme==", "lin_wh_old"]);
  expect(readEnvironment({}, noFile).linearWebhookSecrets).toBeUndefined();
});

test.each(["", "a,,b", "acme=lin_wh_1", "two words"])(
  "malformed ones (%j) are refused without being told",
  (value) => {
    const read = () => readEnvironment({ FORGEHAND_LINEAR_WEBHOOK_SECRET: value }, noFile);
    expect(read).toThrow("FORGEHAND_LINEAR_WEBHOOK_SECRET");
    if (value.length > 4) expect(read).not.toThrow(value);
  },
);
