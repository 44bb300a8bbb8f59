import { Command } from "@commander-js/extra-typings";
import { expect, test } from "vitest";
import { groups, programOf } from "./program.ts";

const namesIn = (program: Command): readonly string[] =>
  program.commands.flatMap((command) => [command.name(), ...command.aliases()]);

test.each(groups)("%s are the commands that are registered under these names", (names, register) => {
  const program = new Command();
  register(program);
  expect(namesIn(program)).toEqual(names.split(" "));
});

test("of a verb that is known its own part is made, of anything else the whole", () => {
  const whole = namesIn(programOf());
  expect(whole).toEqual(groups.flatMap(([names]) => names.split(" ")));
  expect(new Set(whole).size).toBe(whole.length);
  expect(namesIn(programOf("ps"))).toEqual(["ps"]);
  expect(namesIn(programOf("tree"))).toContain("timeline");
  for (const verb of ["help", "--help", "--json", "psx", ""]) expect(namesIn(programOf(verb))).toEqual(whole);
});
