import type { CacheRule } from "./host.ts";
import { mapTasks, nodesIn, type Child, type Json, type Node } from "./node.ts";

/**
 * Tasks inside take what was kept under this key instead of working, where it is young enough and fits. It keeps what
 * they gave, not the files they changed. A task with a `cache` of its own follows that.
 */
export function Cache(props: {
  readonly by: Json;
  readonly ttlMs?: number;
  readonly scope?: CacheRule["scope"];
  readonly children?: Child;
}): Node {
  const { by, ttlMs, scope = "workflow", children } = props;
  return mapTasks({ kind: "sequence", children: nodesIn(children) }, (task, loops) =>
    task.cache === undefined ? { ...task, cache: { key: by, ttlMs, scope, loops } } : task,
  );
}
