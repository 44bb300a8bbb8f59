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
export { answerRun, type Answered } from "./answer.ts";
export { attemptsOf } from "./attempts.ts";
export { definitionOf, keepDefinition, type Definition } from "./definition.ts";
export { differenceOf, type Change } from "./difference.ts";
export { openEngine, type Engine, type EngineOptions } from "./engine.ts";
export type { Ask, Child, Json, Node, Step } from "./node.ts";
export type { Outcome } from "./plan.ts";
export { migrateEngine } from "./migrate.ts";
export { historyOf, recentRuns, runsLike, waitsOf, type Happened, type Waits } from "./lookup.ts";
export { cancelRun, startRun, type Owner, type RunRow } from "./store.ts";
export type { Told } from "./live.ts";
export { treeOf } from "./tree.ts";
export { closed, committed, landed, LandedWorktree, opened, OpenedWorktree, Worktree } from "./worktree.ts";
export { leaf, workflow, Workflow, type AnyWorkflow, type Context, type Leaf } from "./workflow.ts";
