/** The words of the room: what is attacked, how, and what came of it. */
import { findAddedSecrets } from "../review/added-secrets.ts";
import { needsPerson } from "../review/needs-person.ts";
import { redact } from "../secrets.ts";
import { fence, forCommit, unheard } from "../untrusted.ts";
import { readCommand } from "../webhooks/command.ts";
import { buildPrompt, gatePrompt, mediatePrompt, reviewPrompt } from "../workflows/prompts.ts";

/** The parts of forgehand that an attack on words meets; given as arguments, so that a broken one can be tried. */
export const ownParts = {
  gatePrompt,
  buildPrompt,
  reviewPrompt,
  mediatePrompt,
  fence,
  forCommit,
  unheard,
  redact,
  needsPerson,
  findAddedSecrets,
  readCommand,
};
export type Parts = typeof ownParts;

/** One way to attack, as data: where it is planted, how it hides or persuades, and what is to hold. */
export interface Attack {
  /** `ticket-body/html-comment` */
  readonly id: string;
  /** Where it is planted. */
  readonly field: string;
  /** In a few words. */
  readonly how: string;
  /** Undefined when what was promised held, else what happened. */
  readonly play: (parts: Parts) => string | undefined | Promise<string | undefined>;
}

/** What came of an attack: `weak` is what the operator's own choice allows. */
export interface Outcome {
  readonly id: string;
  readonly field: string;
  readonly how: string;
  readonly is: "held" | "weak" | "broken";
  /** Of what did not hold: what happened. */
  readonly why: string | undefined;
  /** Of a weakness: the setting to change. */
  readonly fix: string | undefined;
  /** Of an order that an agent obeyed, whatever came of it. */
  readonly reached?: true;
}

/** What an attacker wants an agent to see and follow. */
export const canary = "OBEYME";

/** The text as a model may well take it in: what people do not see is nothing to it, and entities are letters. */
export function asModelsRead(text: string): string {
  return text
    .replace(/&#(?:x([0-9a-f]{1,6})|(\d{1,7}));?/giu, (_, hex: string | undefined, decimal: string) =>
      letterAt(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)),
    )
    .replace(/[\u{E0020}-\u{E007E}]/gu, (sign) => letterAt((sign.codePointAt(0) ?? 0) - 0xe0000));
}
const letterAt = (point: number): string =>
  point > 0 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff) ? String.fromCodePoint(point) : "";

/** Signs that no reader sees, or that turn the direction of reading. */
export const invisible = /[\u00AD\u180E\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]|[\u{E0000}-\u{E0FFF}]/u;
