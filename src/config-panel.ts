import { z } from "zod";
import { plainName, runtimeName, tier } from "./config-roles.ts";

/** What the bundled reviewers are called where a panel names them. */
const shortNames: Readonly<Record<string, string | undefined>> = {
  general: "reviewer",
  security: "security-reviewer",
};
/** Each costs a review. */
const mostSeats = 8;

const seat = z.strictObject({
  persona: plainName,
  runtime: runtimeName.optional(),
  tier: tier.optional(),
});
export const panelSchema = z.array(z.union([plainName, seat])).max(mostSeats);
type PanelConfig = z.infer<typeof panelSchema>;

/** One reviewer of a panel: `name` tells it from the others, also where two wear one persona. */
export interface PanelSeat {
  readonly name: string;
  readonly persona: string;
  readonly runtime?: string;
  readonly tier?: z.infer<typeof tier>;
}

/** The seats of a panel, by what personas there are: a repository's own of a short name goes before the bundled one. */
export function seatsOf(panel: PanelConfig, personas: ReadonlyMap<string, unknown>): readonly PanelSeat[] {
  const count = new Map<string, number>();
  return panel.map((asked) => {
    const said = typeof asked === "string" ? { persona: asked } : asked;
    const number = (count.get(said.persona) ?? 0) + 1;
    count.set(said.persona, number);
    return {
      name: number === 1 ? said.persona : `${said.persona}-${number}`,
      persona: personas.has(said.persona) ? said.persona : (shortNames[said.persona] ?? said.persona),
      ...("runtime" in said && said.runtime !== undefined ? { runtime: said.runtime } : {}),
      ...("tier" in said && said.tier !== undefined ? { tier: said.tier } : {}),
    };
  });
}
