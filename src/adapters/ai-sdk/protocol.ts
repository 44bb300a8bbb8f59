import { protocolOf } from "../agents-file.ts";
import { aiSdk } from "./agent.ts";
import { aiSdkEntry, keyName } from "./entry.ts";

/** `protocol: ai-sdk`: an agent in this process, on a model of any maker. */
export const aiSdkProtocol = protocolOf(aiSdkEntry, (name, entry, { host, stateDir, clock }) => {
  const key = keyName(entry);
  return aiSdk({ name, entry, host: host(key === undefined ? [] : [key]), stateDir, clock });
});
