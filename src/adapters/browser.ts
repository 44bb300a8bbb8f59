import { spawn } from "node:child_process";
import { isNeverPassed } from "./agents/environment.ts";

type Env = Readonly<Record<string, string | undefined>>;

const openers: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ["open"],
  win32: ["explorer.exe"],
};

/** Whether a browser on this host could show a page to whoever types here. */
export function hasScreen(env: Env, platform: NodeJS.Platform): boolean {
  if (env["SSH_CONNECTION"] !== undefined || env["SSH_TTY"] !== undefined || env["CI"] !== undefined)
    return false;
  if (platform === "darwin" || platform === "win32") return true;
  return (env["DISPLAY"] ?? "") !== "" || (env["WAYLAND_DISPLAY"] ?? "") !== "";
}

/** Asks the desktop to open an address. Answers whether there was anything to ask; our own secrets stay here. */
export function openBrowser(url: string, env: Env, platform: NodeJS.Platform): Promise<boolean> {
  const [program, ...argv] = openers[platform] ?? ["xdg-open"];
  const own = Object.entries(env).filter(
    ([name]) => !isNeverPassed(name) && !/KEY|TOKEN|SECRET|PASSW/iu.test(name),
  );
  return new Promise((resolve) => {
    const child = spawn(program, [...argv, url], {
      detached: true,
      stdio: "ignore",
      env: Object.fromEntries(own),
    });
    child.once("error", () => resolve(false));
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
  });
}
