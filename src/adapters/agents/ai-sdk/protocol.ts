import { agentEnvironment } from "../environment.ts";
import { protocolOf, type AgentGround } from "../agents-file.ts";
import { inQuarters, unknownFurnisher, type Furnisher } from "../../sandboxes/lodging.ts";
import type { Quarters } from "../../sandboxes/premises.ts";
import { aiSdk, type Lodge } from "./agent.ts";
import { aiSdkEntry, keyName } from "./entry.ts";

/** `protocol: ai-sdk`: an agent in this process, on a model of any maker. */
export const aiSdkProtocol = protocolOf(aiSdkEntry, (name, entry, ground) => {
  const key = keyName(entry);
  const host = ground.host(key === undefined ? [] : [key]);
  const quarters = ground.quartersOf?.(name);
  const lodge = quarters && lodgeIn(quarters, name, ground);
  return aiSdk({ name, entry, host, stateDir: ground.stateDir, clock: ground.clock, lodge });
});

/** The model is asked from here, so what it runs needs neither its key nor a way to it. */
function lodgeIn(quarters: Quarters, name: string, { host, clock }: AgentGround): Lodge {
  const { network } = quarters;
  const closed: Quarters = { ...quarters, network: network === "model" ? "none" : network };
  const runtime = { name, title: name, binary: name, install: "", login: "" };
  const env = agentEnvironment({ ...host([]), own: {} });
  const furnisher: Furnisher = { ...unknownFurnisher(name, env), keeps: "folders" };
  return (order, work) =>
    inQuarters(closed, order, runtime, furnisher, clock, (place) =>
      work(
        place && {
          env: place.env,
          enter: (process) => place.sandbox.enter(process, place.confinement),
        },
      ),
    );
}
