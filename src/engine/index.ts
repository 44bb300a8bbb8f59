/** The engine's public face: what a workflow file imports, and what opens an engine. */
export {
  Approval,
  ApprovalAnswer,
  Branch,
  ChoiceAnswer,
  Choose,
  ForEach,
  Loop,
  Parallel,
  Question,
  Rank,
  RankAnswer,
  Saga,
  Sequence,
  Signal,
  Task,
  Timer,
  Try,
} from "./components.ts";
export { openEngine, type Answered, type Engine, type EngineOptions } from "./engine.ts";
export type { Ask, Child, Json, Node, Step } from "./node.ts";
export type { Outcome } from "./plan.ts";
export { migrateEngine } from "./migrate.ts";
export { cancelRun, startRun, type Owner, type RunRow } from "./store.ts";
export { leaf, workflow, Workflow, type AnyWorkflow, type Context, type Leaf } from "./workflow.ts";
