import { stringify } from "yaml";
import { layersOf, mergeLayers, toldBy, type Told } from "../config-layers.ts";
import { rulesIn } from "../config-rules.ts";
import { findPlace, unseenHint } from "./config-places.ts";
import { table, terminal, type Answer } from "./output.ts";

/** The configuration as it counts, with every default; with `--origin` each value and where it comes from. */
export async function configPrint(
  place = ".",
  options: { readonly origin?: true | undefined } = {},
): Promise<Answer> {
  const found = await findPlace(place);
  const layers = layersOf(found.config, found.sources);
  const { config } = mergeLayers(layers);
  const told = toldBy(config, layers);
  const { faults } = rulesIn({ ...found, sound: undefined });
  const wrong =
    faults.length === 0
      ? undefined
      : `${faults.length === 1 ? "1 part is" : `${faults.length} parts are`} wrong and left out here: \`forgehand config validate ${place}\` says which.`;
  const hint = [wrong, unseenHint(found)].filter((one) => one !== undefined).join("\n");
  const text =
    options.origin === true
      ? table(
          ["KEY", "VALUE", "FROM"],
          told.map((one) => [one.key, JSON.stringify(one.value), fromOf(one)]),
          terminal.isTty,
        )
      : stringify(config, { lineWidth: 0 });
  return {
    schema: "config-print/1",
    data: { place: found.name, config, values: told },
    text,
    ...(hint === "" ? {} : { hint }),
  };
}

function fromOf({ key, from }: Told): string {
  const places = from.map(
    ({ repo, path, line, how }) =>
      `${repo === undefined ? "" : `${repo}:`}${path}:${line}${
        how === "organisation" ? " (organisation)" : how === "extends" ? " (extends)" : ""
      }`,
  );
  // The house's own stand among them always.
  return [...places, ...(places.length === 0 || key === "paths.protected" ? ["default"] : [])].join(", ");
}
