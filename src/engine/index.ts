/** The engine's public face: what a workflow file imports, and what opens an engine. */
export { Approval, Branch, Loop, Parallel, Sequence, Task, Timer } from "./components.ts";
export { openEngine, type Engine, type EngineOptions } from "./engine.ts";
export type { Child, Json, Node, Step } from "./node.ts";
export { cancelRun, migrateEngine, startRun, type Owner, type RunRow } from "./store.ts";
export { workflow, type AnyWorkflow, type Context, type Workflow } from "./workflow.ts";
