import { expect, test } from "vitest";
import { placesOf, settingsFile } from "./places.ts";

test("places are below the home where nothing is said", () => {
  const places = placesOf({}, "/home/op");
  expect(places).toEqual({ config: "/home/op/.config/forgehand", state: "/home/op/.local/state/forgehand" });
  expect(settingsFile(places)).toBe("/home/op/.config/forgehand/forgehand.env");
});

test("places are where the XDG variables say", () => {
  expect(placesOf({ XDG_CONFIG_HOME: "/etc/op", XDG_STATE_HOME: "/var/op" }, "/home/op")).toEqual({
    config: "/etc/op/forgehand",
    state: "/var/op/forgehand",
  });
});

test("a relative or empty XDG variable is ignored", () => {
  expect(placesOf({ XDG_CONFIG_HOME: "config", XDG_STATE_HOME: "" }, "/home/op")).toEqual(
    placesOf({}, "/home/op"),
  );
});
