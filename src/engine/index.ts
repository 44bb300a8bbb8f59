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
export { Argument, Debate, debated, DebateOutput, Judgement } from "./composites/debate.ts";
export { boardDone, Kanban, type Column } from "./composites/kanban.ts";
export { decidedBy, Panel, PanelOutput, Vote } from "./composites/panel.ts";
export { Review, reviewed, ReviewLoop } from "./composites/review-loop.ts";
export { Fixed, scanned, ScanFixVerify, Verified } from "./composites/scan-fix-verify.ts";
export {
  Supervised,
  supervised,
  Supervisor,
  SupervisorOutput,
  Worked,
  WorkPlan,
} from "./composites/supervisor.ts";
export { answerRun, type Answered } from "./answer.ts";
export { attemptsOf } from "./attempts.ts";
export { definitionOf, keepDefinition, type Definition } from "./definition.ts";
export { differenceOf, type Change } from "./difference.ts";
export { openEngine, type Engine, type EngineOptions } from "./engine.ts";
export type { Ask, Child, Json, Node, Step } from "./node.ts";
export type { Outcome } from "./plan.ts";
export { mergedBy, MergeQueue, MergeQueueOutput, type MergeTest } from "./merge-queue.ts";
export { migrateEngine } from "./migrate.ts";
export { historyOf, recentRuns, runsLike, waitsOf, type Happened, type Waits } from "./lookup.ts";
export { cancelRun, startRun, type Owner, type RunRow } from "./store.ts";
export type { Told } from "./live.ts";
export { treeOf } from "./tree.ts";
export { closed, committed, landed, LandedWorktree, opened, OpenedWorktree, Worktree } from "./worktree.ts";
export { leaf, workflow, Workflow, type AnyWorkflow, type Context, type Leaf } from "./workflow.ts";
