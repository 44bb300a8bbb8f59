import type { Answer } from "./output.ts";
export async function doctorRedteam(_: { readonly repo?: string | undefined }): Promise<Answer> {
  throw new Error("x");
}
