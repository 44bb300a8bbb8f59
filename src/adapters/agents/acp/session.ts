import type { ConfigOption, SessionState } from "./messages.ts";

/** A request that changes something of a session. */
export interface Setting {
  readonly method: "session/set_mode" | "session/set_model" | "session/set_config_option";
  readonly params: Readonly<Record<string, string>>;
}
export type Choice =
  | { readonly is: "as-it-is" }
  | { readonly is: "set"; readonly setting: Setting }
  /** What there is to choose from; none at all means the agent lets nobody choose. */
  | { readonly is: "not-offered"; readonly offered: readonly string[] };

/** How to bring a session into a mode. */
export function chooseMode(state: SessionState, wanted: string | undefined): Choice {
  if (wanted === undefined) return { is: "as-it-is" };
  const { modes } = state;
  const option = optionFor(state, "mode");
  const ids = (modes?.availableModes ?? []).flatMap(({ id }) => id ?? []);
  if (modes?.currentModeId === wanted || (modes === undefined && option?.currentValue === wanted))
    return { is: "as-it-is" };
  if (ids.includes(wanted))
    return { is: "set", setting: { method: "session/set_mode", params: { modeId: wanted } } };
  const values = choicesOf(option).map(({ value }) => value);
  return option !== undefined && values.includes(wanted)
    ? setOption(option.id, wanted)
    : { is: "not-offered", offered: [...new Set([...ids, ...values])] };
}

/** How to bring a session onto a model, by its id, by the end of its id, or by its name. */
export function chooseModel(state: SessionState, wanted: string | undefined): Choice {
  if (wanted === undefined) return { is: "as-it-is" };
  const option = optionFor(state, "model");
  if (option !== undefined) {
    if (fits(wanted)({ value: option.currentValue ?? "", name: undefined })) return { is: "as-it-is" };
    const choices = choicesOf(option);
    const found = pick(choices, wanted);
    return found === undefined ? notOffered(choices) : setOption(option.id, found);
  }
  const current = state.models?.currentModelId ?? "";
  const choices = (state.models?.availableModels ?? []).flatMap(({ modelId, name }) =>
    modelId === undefined ? [] : [{ value: modelId, name }],
  );
  if (fits(wanted)({ value: current, name: choices.find(({ value }) => value === current)?.name }))
    return { is: "as-it-is" };
  const found = pick(choices, wanted);
  return found === undefined
    ? notOffered(choices)
    : { is: "set", setting: { method: "session/set_model", params: { modelId: found } } };
}

/** How to make the model think as hard as is wanted; an agent that offers no such choice keeps its own. */
export function chooseEffort(state: SessionState, wanted: string | undefined): Choice {
  const option = optionFor(state, "thought_level");
  const found = choicesOf(option).find(({ value }) => value === wanted);
  return option === undefined || found === undefined || option.currentValue === wanted
    ? { is: "as-it-is" }
    : setOption(option.id, found.value);
}

/** The model a session says it runs on. */
export function modelOf(state: SessionState): string | undefined {
  const said = optionFor(state, "model")?.currentValue ?? state.models?.currentModelId ?? "";
  // Behind the name stands the effort, or the size of the context: `gpt-6[high]`.
  const model = said.replace(/\[[^\]]*\]$/u, "");
  if (model === "") return undefined;
  // Some ids wrap the name with the way to reach it.
  const name = state.models?.availableModels?.find(({ modelId }) => modelId === said)?.name;
  return name !== undefined && name !== "" && model.includes(name) ? name : model;
}

interface Offered {
  readonly value: string;
  readonly name: string | undefined;
}

/** The whole id first, then without effort, then without provider. */
function pick(choices: readonly Offered[], wanted: string): string | undefined {
  return (choices.find(({ value }) => value === wanted) ?? choices.find(fits(wanted)))?.value;
}

const fits =
  (wanted: string) =>
  ({ value, name }: Offered): boolean => {
    const bare = value.replace(/\[[^\]]*\]$/u, "");
    return value === wanted || bare === wanted || bare.endsWith(`/${wanted}`) || name === wanted;
  };

function optionFor(
  { configOptions }: SessionState,
  category: "mode" | "model" | "thought_level",
): ConfigOption | undefined {
  const options = (configOptions ?? []).flatMap((option) => option ?? []);
  return options.find((option) => option.category === category) ?? options.find(({ id }) => id === category);
}

function choicesOf(option: ConfigOption | undefined): readonly Offered[] {
  return (option?.options ?? [])
    .flatMap((one) => ("options" in one ? one.options : [one]))
    .flatMap(({ value, name }) => (value === undefined ? [] : [{ value, name }]));
}

const setOption = (configId: string, value: string): Choice => ({
  is: "set",
  setting: { method: "session/set_config_option", params: { configId, value } },
});
const notOffered = (choices: readonly Offered[]): Choice => ({
  is: "not-offered",
  offered: choices.map(({ value }) => value),
});
