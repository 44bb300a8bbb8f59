/** People told beside the forge: where (a channel), of what (a notification), and who carries it there. Types alone. */

/** What a notification is about, so that a channel may choose. */
export const notifyKinds = ["waiting", "blocked", "merged", "cap", "runtime", "digest"] as const;
export type NotifyKind = (typeof notifyKinds)[number];

/** How much it matters, least first; each kind's own stands in `weightOf`. */
export const notifyWeights = ["info", "notice", "urgent"] as const;
export type NotifyWeight = (typeof notifyWeights)[number];
export const weightOf: Readonly<Record<NotifyKind, NotifyWeight>> = {
  digest: "info",
  merged: "info",
  waiting: "notice",
  runtime: "notice",
  blocked: "urgent",
  cap: "urgent",
};

/** A time of day on a clock on the wall. */
export interface WallTime {
  readonly hour: number;
  readonly minute: number;
}
/** What a channel wants to hear, and when. */
export interface ChannelRules {
  readonly kinds: ReadonlySet<NotifyKind>;
  /** Patterns of `owner/name`; empty: every repository. */
  readonly repos: readonly string[];
  readonly quiet: { readonly from: WallTime; readonly to: WallTime } | undefined;
  /** An IANA name, for the quiet hours and the digest. */
  readonly timeZone: string;
  /** Kinds that quiet hours do not hold back. */
  readonly urgent: ReadonlySet<NotifyKind>;
  readonly digestAt: WallTime;
}

/** Where a message goes, as its service wants it. Everything here may be secret. */
export type ChannelTarget =
  | { readonly service: "slack"; readonly url: string }
  | { readonly service: "slack-bot"; readonly api: string; readonly token: string; readonly channel: string }
  | { readonly service: "discord"; readonly url: string }
  | {
      readonly service: "telegram";
      readonly api: string;
      readonly token: string;
      readonly chat: string;
      readonly topic: number | undefined;
    }
  | {
      readonly service: "ntfy";
      readonly root: string;
      readonly topic: string;
      readonly authorization: string | undefined;
    }
  | { readonly service: "gotify"; readonly root: string; readonly token: string }
  | {
      readonly service: "webhook";
      readonly url: string;
      /** What the body is signed with. */
      readonly secret: string | undefined;
      readonly authorization: string | undefined;
    }
  | {
      readonly service: "mail";
      readonly host: string;
      readonly port: number;
      /** `tls` from the first byte; `starttls` must be offered; `plain` takes it where it is. */
      readonly security: "tls" | "starttls" | "plain";
      readonly login: { readonly user: string; readonly password: string } | undefined;
      readonly from: string;
      readonly to: readonly string[];
    };

/** One place where people are told: one URL of FORGEHAND_NOTIFY. */
export interface Channel {
  /** `slack-1f2e3d4c`: its service and part of a hash, so that it is known again and gives nothing away. */
  readonly id: string;
  /** For people: its name where it has one, and never a secret. */
  readonly label: string;
  readonly target: ChannelTarget;
  readonly rules: ChannelRules;
  /** What must not be said of it. */
  readonly secrets: readonly string[];
}

/** One thing to be told. What is `quoted` somebody else wrote; every channel must show it as the plain text that it is. */
export interface NotifyItem {
  readonly kind: NotifyKind;
  /** One sentence of ours: what happened. */
  readonly says: string;
  /** The ticket's title. */
  readonly quoted?: string | undefined;
  /** Why; may hold words of others. */
  readonly why?: string | undefined;
  /** What to do next, of ours. */
  readonly next?: string | undefined;
  /** Where to do it. */
  readonly url?: string | undefined;
  readonly ticket?: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}
/** What is sent at once: one item, or a bundle of them. */
export interface NotifyMessage {
  /** The same when it is sent again, because nobody knows whether it arrived. */
  readonly id: string;
  readonly at: number;
  /** Of a bundle. */
  readonly heading?: string | undefined;
  readonly items: readonly NotifyItem[];
  /** How many more there are than are listed. */
  readonly more: number;
  /** Where all of it is seen. */
  readonly url?: string | undefined;
}

/** Whether the other side throws away what it got before, by its id. */
export type Repeats = "known" | "unknown";

/**
 * Carries a message to a channel. Throws `Trouble`: `permanent` when the channel refuses it for good, with `retryAt` where
 * the channel names a time, and with the code `notify-unknown` when it may have arrived all the same.
 */
export interface Messenger {
  repeatsAt(channel: Channel): Repeats;
  send(channel: Channel, message: NotifyMessage): Promise<void>;
}
export const unknownOutcome = "notify-unknown";
