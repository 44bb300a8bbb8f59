/** Taking an App that exists already: its id, its key, its webhook secret. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { readEnvironment } from "../config-environment.ts";
import { exitCodes, Problem } from "../problems.ts";
import { changeSettings } from "../settings-file.ts";
import { openApp, type AppAccess, type AppKey, type Outside } from "./app-access.ts";
import { Failure } from "./output.ts";
import type { Prompter } from "./prompter.ts";

export interface ImportOptions {
  readonly appId?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly webhookSecretFile?: string | undefined;
  readonly newWebhookSecret?: true | undefined;
}
export interface ImportedApp {
  readonly key: AppKey;
  readonly webhookSecret: string;
  readonly access: AppAccess;
}

/** Asks for what the flags left out, and has GitHub confirm it. Nothing is written here but, where asked for, a new secret on the App. */
export async function importApp(
  options: ImportOptions,
  prompter: Prompter,
  apiUrl: string,
  outside: Outside,
): Promise<ImportedApp> {
  const appId = await appIdOf(options, prompter);
  const path =
    options.keyFile ??
    (await prompter.ask({
      message: "Where is the App's private key, the .pem file that GitHub gave you?",
      flag: "--key-file PATH",
      fault: (text) => faultOf(() => keyIn(text, appId)),
    }));
  const privateKey = keyIn(path, appId);
  const key = { appId, privateKey, apiUrl };
  const access = await openApp(key, outside);
  return { key, access, webhookSecret: await secretOf(options, prompter, access) };
}

async function appIdOf({ appId }: ImportOptions, prompter: Prompter): Promise<number> {
  const fault = (text: string): string | undefined =>
    /^[1-9]\d{0,14}$/u.test(text)
      ? undefined
      : "a number is expected, the App ID at the top of the App's settings page";
  const text =
    appId ?? (await prompter.ask({ message: "What is the App's id?", flag: "--app-id NUMBER", fault }));
  const wrong = fault(text);
  if (wrong !== undefined) throw new Failure(exitCodes.usage, `--app-id: ${wrong}`);
  return Number(text);
}

/** Read as `up` would read it, so that what is stored is what will be taken. */
function keyIn(path: string, appId: number): string {
  const home = process.env["HOME"] ?? "~";
  const { github } = readEnvironment(
    {
      FORGEHAND_APP_ID: String(appId),
      FORGEHAND_PRIVATE_KEY_FILE: path.replace(/^~(?=\/)/u, home),
      FORGEHAND_WEBHOOK_SECRET: "none yet",
    },
    (file) => readFileSync(file, "utf8"),
  );
  // All three are set, so there is one.
  return github?.privateKey ?? "";
}

function faultOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error.told.what;
    throw error;
  }
}

async function secretOf(options: ImportOptions, prompter: Prompter, app: AppAccess): Promise<string> {
  if (options.webhookSecretFile !== undefined) return readSecret(options.webhookSecretFile);
  const isNew =
    options.newWebhookSecret === true ||
    (await prompter.choose({
      message: `The webhook secret of ${app.slug}`,
      flag: "--webhook-secret-file PATH or --new-webhook-secret",
      choices: [
        { value: "known", label: "I have it", hint: "it stays as it is" },
        {
          value: "new",
          label: "Set a new one on the App",
          hint: "whatever else receives its webhooks needs it too",
        },
      ],
    })) === "new";
  if (!isNew)
    return await prompter.secret({
      message: "Webhook secret",
      flag: "--webhook-secret-file PATH",
      fault: secretFault,
    });
  const secret = randomBytes(32).toString("hex");
  await app.setHook({ secret });
  return secret;
}

function readSecret(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : "it is unreadable";
    throw new Problem("environment-file", { name: "--webhook-secret-file", path, why }, { cause });
  }
  const fault = secretFault(text);
  if (fault === undefined) return text;
  throw new Failure(exitCodes.usage, `--webhook-secret-file ${path}: ${fault}`);
}

function secretFault(text: string): string | undefined {
  if (text === "") return "it is empty";
  try {
    changeSettings("", { FORGEHAND_WEBHOOK_SECRET: text });
    return undefined;
  } catch {
    return "it holds a quote, a backslash or a line break, which a settings file cannot keep: take --new-webhook-secret, or set FORGEHAND_WEBHOOK_SECRET_FILE yourself";
  }
}
