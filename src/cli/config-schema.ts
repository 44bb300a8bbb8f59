import { configJsonSchema } from "../config-file.ts";
import type { Answer } from "./output.ts";

/** The schema of `.github/forgehand.yml`. */
export async function configSchema(): Promise<Answer> {
  const data = configJsonSchema();
  return { schema: "config-schema/1", data, text: JSON.stringify(data, null, 2) };
}
