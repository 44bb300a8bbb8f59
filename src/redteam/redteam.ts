/** Everything at once: attacks on words first, which cost nothing, then the plays, one after the other. */
import { join } from "node:path";
import { pino } from "pino";
import type { RepoConfig } from "../config.ts";
import type { Environment } from "../config-environment.ts";
import { ownParts, type Attack, type Outcome, type Parts } from "./attack.ts";
import { changeAttacks } from "./change-attacks.ts";
import { setTraps, type Ground } from "./ground.ts";
import { openedBy } from "./permits.ts";
import { perform, plays, type PlayName } from "./plays.ts";
import { ruleAttacks } from "./rule-attacks.ts";
import { speechAttacks } from "./speech-attacks.ts";
import type { StageOptions } from "./stage.ts";
import { wordAttacks } from "./word-attacks.ts";

/** Attacks that need no agent, by the rules of one repository. */
export const pureAttacks = (rules: RepoConfig): readonly Attack[] => [
  ...wordAttacks,
  ...speechAttacks,
  ...ruleAttacks,
  ...changeAttacks(rules),
];

/** Plays each against these parts of forgehand. */
export async function playPure(
  attacks: readonly Attack[],
  parts: Parts = ownParts,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { id, field, how, play } of attacks) {
    const why = await play(parts);
    outcomes.push({ id, field, how, is: why === undefined ? "held" : "broken", why, fix: undefined });
  }
  return outcomes;
}

export interface RedteamOptions {
  readonly ground: Ground;
  readonly environment: Environment;
  readonly rules: RepoConfig;
  /** The same as YAML, as it is played on. */
  readonly config: string;
  /** All of them when left out. */
  readonly only?: readonly PlayName[] | undefined;
  readonly recast?: StageOptions["recast"];
  readonly pid: number;
  /** Hears what is played now. */
  readonly tell?: (line: string) => void;
}

/** Plays the whole corpus against this configuration. */
export async function redteam(options: RedteamOptions): Promise<readonly Outcome[]> {
  const { ground, environment, rules, config, only, recast, pid, tell } = options;
  tell?.("attacks on words, answers and changes");
  const outcomes = [...(await playPure(pureAttacks(rules)))];
  const traps = await setTraps();
  const log = pino({ level: "info" }, pino.destination(join(ground.folder, "forgehand.log")));
  try {
    for (const name of only ?? namesOfPlays) {
      tell?.(`the play “${name}” with gullible agents`);
      const openings = openedBy(environment.sandbox);
      outcomes.push(
        ...(await perform(name, { ground, environment, rules, config, traps, log, recast, openings, pid })),
      );
    }
  } finally {
    log.flush();
    await traps.close();
  }
  return outcomes;
}

const namesOfPlays: readonly PlayName[] = ["words", "heads", "betrayal"] satisfies (keyof typeof plays)[];
