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
  Timer,
  Try,
} from "./components.ts";
export { Cache } from "./cache.ts";
export { usageInWords } from "./agent-memory.ts";
export { ShellOutput } from "./shell-task.ts";
export { Task } from "./task.ts";
export type {
  AgentEnd,
  AgentOrder,
  AgentSaid,
  AgentUsage,
  Host,
  HostAgent,
  ShellOrder,
  ShellResult,
} from "./host.ts";
export { answerRun, type Answered } from "./answer.ts";
export { attemptsOf } from "./attempts.ts";
export type { Attempt } from "./rows.ts";
export { definitionOf, keepDefinition, type Definition } from "./definition.ts";
export { differenceOf, type Change } from "./difference.ts";
export { openEngine, type Engine, type EngineOptions } from "./engine.ts";
export type { Ask, Child, Json, Node, Step } from "./node.ts";
export type { Outcome } from "./plan.ts";
export { graphOf } from "./graph.ts";
export { migrateEngine, NewerEngine } from "./migrate.ts";
export {
  historyOf,
  recentRuns,
  runsLike,
  saidIn,
  usedIn,
  waitsOf,
  type Happened,
  type Spoken,
  type Waits,
} from "./lookup.ts";
export { cancelRun, startRun, type Owner, type RunRow } from "./store.ts";
export { retryRun, type Retried } from "./retry.ts";
export type { Told } from "./live.ts";
export { agentsNeeded, treeOf } from "./tree.ts";
export { leaf, workflow, Workflow, type AnyWorkflow, type Context, type Leaf } from "./workflow.ts";
