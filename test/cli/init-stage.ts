/** A home, a forge, a person who answers, and a browser without a screen. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Keychain } from "../../src/adapters/keychain.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import type { Init, InitOptions } from "../../src/cli/init-context.ts";
import { ownEnvironment, ownSettingsFile } from "../../src/cli/own-environment.ts";
import { scriptPrompter, type Prompter } from "../../src/cli/prompter.ts";
import { readEnvironment } from "../../src/config-environment.ts";
import { placesOf } from "../../src/places.ts";
import { readSettings } from "../../src/settings-file.ts";
import { startHub, type RunningHub } from "../../src/simulator/hub/hub.ts";

export interface InitStage {
  readonly hub: RunningHub;
  readonly home: string;
  readonly said: string[];
  readonly keychain: Keychain & { readonly kept: Map<string, string> };
  /** What each question is answered with, in order; whatever else is asked takes what is usual. */
  readonly answers: string[];
  init(options?: Partial<InitOptions>, more?: Partial<Init>): Init;
  settings(): Readonly<Record<string, string>>;
  file(): string;
  close(): Promise<void>;
}

/** Making one takes a while, and every forge may have the same. */
const privateKey = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .privateKey.export({ type: "pkcs1", format: "pem" })
  .toString();

export async function openInitStage(): Promise<InitStage> {
  const hub = await startHub({ app: { id: 7001, privateKey, webhookSecret: "a5ecret" } });
  await hub.seed({ owner: "acme", name: "web", files: { "README.md": "# web\n" } });
  const home = mkdtempSync(join(tmpdir(), "init-"));
  const said: string[] = [];
  const kept = new Map<string, string>();
  const keychain = {
    kept,
    get: (name: string) => kept.get(name),
    set: (name: string, value: string) => void kept.set(name, value),
  };
  const answers: string[] = [];
  const env = { HOME: home, FORGEHAND_GITHUB_API_URL: hub.url };
  const file = (): string => readFileSync(ownSettingsFile(env), "utf8");
  return {
    hub,
    home,
    said,
    keychain,
    answers,
    file,
    settings: () => readSettings(file()).values,
    init: (options = {}, more = {}) => ({
      options: { browser: true, port: "0", timeout: "1", ...options },
      prompter: person(answers, (line) => said.push(line)),
      places: placesOf(env, home),
      environment: () =>
        readEnvironment(
          ownEnvironment(env, () => keychain),
          (path) => readFileSync(path, "utf8"),
        ),
      keychain: undefined,
      clock: systemClock(),
      fetch: globalThis.fetch,
      openBrowser: async (url) => {
        void browse(url);
        return true;
      },
      random: (bytes) => randomBytes(bytes).toString("hex"),
      user: "ada",
      ...more,
    }),
    close: async () => {
      await hub.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function person(answers: string[], say: (line: string) => void): Prompter {
  const script = scriptPrompter(say);
  return {
    ...script,
    choose: async (question) => {
      const wanted = question.choices.find(({ value }) => value === answers[0]);
      if (wanted === undefined) return await script.choose(question);
      answers.shift();
      return wanted.value;
    },
    ask: async (question) => {
      const text = answers.shift();
      if (text === undefined) return await script.ask(question);
      const fault = question.fault(text);
      if (fault === undefined) return text;
      say(fault);
      return await person(answers, say).ask(question);
    },
    secret: async (question) => {
      const text = answers.shift() ?? "";
      const fault = question.fault(text);
      if (fault !== undefined) throw new Error(fault);
      return text;
    },
  };
}

export interface Form {
  readonly action: string;
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly cookie: string;
}

/** The page that the terminal names, as a browser reads it. */
export async function openForm(url: string): Promise<Form> {
  const answer = await fetch(url);
  const html = await answer.text();
  const field = (pattern: RegExp): string =>
    (pattern.exec(html)?.[1] ?? "")
      .replaceAll("&quot;", '"')
      .replaceAll("&#39;", "'")
      .replaceAll("&amp;", "&");
  return {
    action: field(/action="([^"]*)"/u),
    manifest: JSON.parse(field(/name="manifest" value="([^"]*)"/u)) as Form["manifest"],
    cookie: answer.headers.get("set-cookie")?.split(";")[0] ?? "",
  };
}

/** The first click on GitHub: where it leads back to. */
export async function submit({ action, manifest }: Form): Promise<string> {
  const answer = await fetch(action, {
    method: "POST",
    body: new URLSearchParams({ manifest: JSON.stringify(manifest) }),
    redirect: "manual",
  });
  return answer.headers.get("location") ?? `${answer.status} ${await answer.text()}`;
}

/** All three clicks; answers what the last page says. */
export async function browse(url: string): Promise<string> {
  const form = await openForm(url);
  const made = await (await fetch(await submit(form))).text();
  const installAt = /href="([^"]+)"/u.exec(made)?.[1] ?? "";
  const install = await fetch(installAt, { redirect: "manual" });
  const back = await fetch(install.headers.get("location") ?? "", { headers: { cookie: form.cookie } });
  return await back.text();
}
