/**
 * What a setting of the process may say, each with the words that refuse anything else. They are made when something is set:
 * to make them all takes longer than a command that looks something up.
 */
import { z } from "zod";

export const wholeNumber = (least: number, most: number) => () =>
  z
    .string()
    .regex(/^\d{1,15}$/u, "a whole number is expected")
    .transform(Number)
    .pipe(z.number().min(least, `at least ${least} is expected`).max(most, `at most ${most} is expected`));
export const path = () => z.string().min(1, "a path is expected");
export const secret = () => z.string().min(1, "it is empty").max(20_000, "it is too long");
export const webUrl = () =>
  z
    .url({ protocol: /^https?$/u, error: "an http or https URL is expected" })
    .refine((url) => !/^[^/]*\/\/[^/]*@/u.test(url), "it must not hold credentials")
    .transform((url) => url.replace(/\/+$/u, ""));

export const summary = () =>
  z
    .string()
    .regex(
      /^[a-z][a-z0-9-]{0,60}(?::\w\S{0,127})?$/u,
      "a runtime is expected, or a runtime and its model such as codex:MODEL",
    )
    .transform((text) => {
      const [, runtime = "", model] = /^([^:]+)(?::(.+))?$/u.exec(text) ?? [];
      return { runtime, model };
    });

export const logins = () =>
  z.string().transform((text, context) => {
    const names = text.split(",").map((name) => name.trim().replace(/^@/u, ""));
    if (names.every((name) => /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/u.test(name))) return names;
    context.addIssue("logins of GitHub are expected, with commas between");
    return z.NEVER;
  });

export const owners = () =>
  z
    .string()
    .regex(
      /^[A-Za-z0-9-]{1,39}(?:\s*,\s*[A-Za-z0-9-]{1,39})*$/u,
      "owners on GitHub are expected, such as acme, acme-labs",
    )
    .transform((text) => text.toLowerCase().split(/\s*,\s*/u));
