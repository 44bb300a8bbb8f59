import type { Worker } from "../state-machine/evidence.ts";
import type { RuntimeName } from "../state-machine/ticket.ts";

/** Makers of models by the name they go by; `unknown` is nobody's, and never counts. */
export const families = [
  "anthropic",
  "openai",
  "google",
  "alibaba",
  "amazon",
  "cohere",
  "deepseek",
  "ibm",
  "meta",
  "microsoft",
  "minimax",
  "mistral",
  "moonshot",
  "nvidia",
  "tencent",
  "xai",
  "xiaomi",
  "zhipu",
  "unknown",
] as const;
export type Family = (typeof families)[number];

/**
 * Names of models, never of who serves them. Where maker and model share a name, a `/` behind it is the maker's or the
 * server's: `deepseek/…` may serve anything.
 */
const makers: readonly (readonly [names: string, Family])[] = [
  ["claude|opus|sonnet|haiku", "anthropic"],
  ["gpt|chatgpt|codex|o[134]", "openai"],
  ["gemini|gemma|codegemma", "google"],
  ["qwen|qwq|qvq|tongyi", "alibaba"],
  ["nova-(?:pro|lite|micro|premier|sonic|act)|titan-text", "amazon"],
  ["command-[ra]|aya", "cohere"],
  ["deepseek", "deepseek"],
  ["granite", "ibm"],
  ["llama|codellama", "meta"],
  ["phi|mai-ds", "microsoft"],
  ["minimax|abab", "minimax"],
  ["mistral|mixtral|ministral|magistral|codestral|devstral|pixtral", "mistral"],
  ["kimi|moonshot", "moonshot"],
  ["nemotron", "nvidia"],
  ["hunyuan", "tencent"],
  ["grok", "xai"],
  ["mimo", "xiaomi"],
  ["glm|chatglm|codegeex", "zhipu"],
];
const patterns = makers.map(
  ([names, family]) => [new RegExp(`(?:^|[/.:_|-])(?:${names})(?:$|[.:_@\\d[(-])`, "iu"), family] as const,
);

/** The maker of a model, from the id observed in a stream; a name that fits two makers is nobody's. */
export function familyOf(model: string): Family {
  const fitting = patterns.filter(([pattern]) => pattern.test(model));
  return fitting.length === 1 ? (fitting[0]?.[1] ?? "unknown") : "unknown";
}

/** A family by its name, as a row or a file keeps it. */
export const familyNamed = (name: string | null | undefined): Family =>
  families.find((family) => family === name) ?? "unknown";

/** The one family behind several observed models; mixed or unseen is unknown. */
export function familyOfAll(models: readonly string[]): Family {
  const families = new Set(models.map(familyOf));
  const [only] = families;
  return families.size === 1 && only !== undefined ? only : "unknown";
}

/** Stands for a change that the host made with git alone: no model had a part in it. */
export const madeByGit: Worker = { runtime: "git", family: "none", models: [], seen: "observed" };
export const isByGit = ({ runtime, family, models }: Worker): boolean =>
  runtime === madeByGit.runtime && family === madeByGit.family && models.length === 0;

/** Whose families a reviewer must not share; `anybody` is who need not be told apart, such as people. */
export type Builder = Family | "anybody";
export type Pairing = { readonly is: "independent" } | { readonly is: "blocked"; readonly why: string };

/** May this reviewer judge what that builder made? Both are families as observed. */
export function judgePairing(pair: { readonly builder: Builder; readonly reviewer: Family }): Pairing {
  if (pair.builder === "anybody") return { is: "independent" };
  if (pair.builder === "unknown")
    return {
      is: "blocked",
      why: "nobody saw which model built this change, so no reviewer can be shown to be independent of it",
    };
  if (pair.reviewer === "unknown")
    return {
      is: "blocked",
      why: "nobody saw which model reviewed this change, so its verdict does not count",
    };
  if (pair.builder === pair.reviewer)
    return {
      is: "blocked",
      why: `builder and reviewer are both ${pair.builder} models: a review needs another family`,
    };
  return { is: "independent" };
}

/** May this model judge what all of those made? Where it was git alone, that somebody is seen to judge is asked all the same. */
export function judgePairings(builders: readonly Builder[], reviewer: Family): Pairing {
  const pairs = (builders.length === 0 ? (["anybody"] as const) : builders).map((builder) =>
    judgePairing({ builder, reviewer }),
  );
  const blocked = pairs.find(({ is }) => is === "blocked");
  if (blocked !== undefined) return blocked;
  return builders.length === 0 && reviewer === "unknown"
    ? { is: "blocked", why: "nobody saw which model reviewed this change" }
    : { is: "independent" };
}

interface Candidate {
  readonly name: RuntimeName;
  readonly family: Family;
}

/**
 * Those who may review, the first choice first: the fixed one and who stands in for it, else everybody of another
 * family. Nobody stands in who is of a builder's family, or of a family that is not known.
 */
export function chooseReviewers(options: {
  /** Every family that had a part in the change, as observed. */
  readonly builders: readonly Builder[];
  /** `git`: the host made the change with git alone, so that no model had a part in it. */
  readonly author?: "models" | "git";
  readonly fixed: RuntimeName | undefined;
  readonly fallback: readonly RuntimeName[];
  readonly candidates: readonly Candidate[];
}):
  | { readonly is: "chosen"; readonly runtimes: readonly RuntimeName[] }
  | { readonly is: "blocked"; readonly why: string } {
  const { builders, fixed, fallback, candidates, author = "models" } = options;
  if ((builders.length === 0 && author === "models") || builders.includes("unknown"))
    return { is: "blocked", why: "nobody saw which model built this change" };
  const isFree = builders.length > 0 && builders.every((builder) => builder === "anybody");
  const others = candidates.filter(
    ({ family }) => isFree || (family !== "unknown" && !builders.includes(family)),
  );
  const isOther = (name: RuntimeName): boolean => others.some((one) => one.name === name);
  const first = candidates.find(({ name }) => name === fixed);
  // A fixed one of whom the family is not known is judged by the model that is seen at work.
  const isFit = first !== undefined && !builders.includes(first.family);
  const standIns = fixed === undefined ? others.map(({ name }) => name) : fallback.filter(isOther);
  const runtimes = [...new Set([...(isFit ? [first.name] : []), ...standIns])];
  if (runtimes.length > 0) return { is: "chosen", runtimes };
  const by = builders.join(" and ");
  if (fixed === undefined)
    return {
      is: "blocked",
      why: `the builder ran on ${by} and no runtime of another family is configured`,
    };
  if (first === undefined)
    return { is: "blocked", why: `the reviewer \`${fixed}\` is not configured on this host` };
  return { is: "blocked", why: `the reviewer \`${fixed}\` runs ${first.family} models, as the builder did` };
}
