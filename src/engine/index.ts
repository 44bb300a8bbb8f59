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
export { Cache } from "./cache.ts";
export { readMemory, usageInWords } from "./agent-memory.ts";
export { quoted, shell } from "./quoted.ts";
export { runCommand, ShellOutput } from "./shell-task.ts";
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
  Snapshots,
} from "./host.ts";
export { answerRun, type Answered } from "./answer.ts";
export { attemptsOf } from "./attempts.ts";
export type { Attempt } from "./rows.ts";
export { definitionOf, keepDefinition, type Definition } from "./definition.ts";
export { differenceOf, type Change } from "./difference.ts";
export { openSqlite, type Sql } from "../sql.ts";
export { openEngine, type Engine, type EngineOptions } from "./engine.ts";
export type { Ask, Child, Json, Node, Step } from "./node.ts";
export type { Outcome } from "./plan.ts";
export { mergedBy, MergeQueue, MergeQueueOutput, type MergeTest } from "./merge-queue.ts";
export { graphOf } from "./graph.ts";
export { collectDaily, collectGarbage, dayMs, keptDays, type Forget, type Freed } from "./gc.ts";
export { migrateEngine, migrationsKnown, NewerEngine, pendingEngine } from "./migrate.ts";
export { changesOf, type RunChange } from "./change.ts";
export { forkRun, lookToFork, type Forked, type ForkOrder } from "./fork.ts";
export {
  filesThatMayDiffer,
  frameTree,
  outputsThatDiffer,
  treesThatDiffer,
  type OutputDifference,
} from "./frame-view.ts";
export { framesOf, givenIn, placeOf, type Frame } from "./frames.ts";
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
  sessionsIn,
  type Session,
} from "./lookup.ts";
export {
  keepSummary,
  replaceSummary,
  summariesOf,
  unsummarised,
  type KnownSummary,
  type Summary,
} from "./summaries.ts";
export { cancelRun, disown, runById, startRun, type Owner, type RunRow, type RunStatus } from "./store.ts";
export { keepOrder, orderCount, ordersOf, type RunOrderLine } from "./orders.ts";
export {
  asksOf,
  openAsks,
  attemptNumbered,
  attemptsIn,
  runsBehind,
  runsBelow,
  runsFrom,
  runsThatAre,
  saidBy,
  type NumberedAttempt,
  type OpenAsk,
  type RunOpenAsk,
  type RunHead,
  type RunPlace,
} from "./pages.ts";
export { pauseRun, resumeRun, unpauseRun } from "./pause.ts";
export { runVerbs } from "./run-verbs.ts";
export { retryRun, type Retried } from "./retry.ts";
export type { Told } from "./live.ts";
export { closed, committed, landed, LandedWorktree, opened, OpenedWorktree, Worktree } from "./worktree.ts";
export { rehearse, type Rehearsal, type Rehearsed } from "./rehearsal.ts";
export { HalfRewound, rewindRun, type Rewound, type TravelTools } from "./time-travel.ts";
export { agentsNeeded, treeOf } from "./tree.ts";
export { treeNodes, type TreeKind, type TreeNode } from "./tree-nodes.ts";
export { leaf, workflow, Workflow, type AnyWorkflow, type Context, type Leaf } from "./workflow.ts";
