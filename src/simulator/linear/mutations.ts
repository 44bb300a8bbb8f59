import { agentMutations } from "./mutations-agents.ts";
import { issueMutations } from "./mutations-issues.ts";
import { settingMutations } from "./mutations-settings.ts";
import type { Mutations } from "./mutation.ts";

/** What can be done, by the name of its root. */
export const mutations: Mutations = { ...issueMutations, ...agentMutations, ...settingMutations };
