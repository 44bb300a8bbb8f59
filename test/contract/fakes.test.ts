import { forgeContract } from "./forge.contract.ts";
import { fakeStage } from "./stage.ts";
import { threadsContract } from "./threads.contract.ts";
import { trackerContract } from "./tracker.contract.ts";
import { voiceContract } from "./voice.contract.ts";

forgeContract("in memory", fakeStage);
trackerContract("in memory", fakeStage);
voiceContract("in memory", fakeStage);
threadsContract("in memory", fakeStage);
