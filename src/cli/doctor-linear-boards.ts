import type { Environment } from "../config-environment.ts";
import type { LinearFile } from "../config-linear-file.ts";
import { Trouble } from "../ports.ts";
import { bad, ok, warn, type Finding } from "./doctor-finding.ts";
import {
  fileFindings,
  openBoards,
  placeOf,
  planWorkspace,
  setupCommand,
  type BoardedWorkspace,
  type WorkspacePlan,
} from "./linear-boards.ts";
import { gaps } from "./linear-plan.ts";

/** What the boards lack, what is in the way of ours, and what the operator's file speaks of in vain. */
export async function checkBoards(
  environment: Pick<Environment, "linear">,
  workspaces: readonly BoardedWorkspace[],
  /** Undefined where the file is wrong, which is told already. */
  rules: LinearFile | undefined,
  isAll: boolean,
): Promise<readonly Finding[]> {
  if (rules === undefined) return [];
  const plans: WorkspacePlan[] = [];
  const findings: Finding[] = [];
  for (const workspace of workspaces) {
    try {
      const plan = await planWorkspace(openBoards(environment, workspace), workspace, rules);
      plans.push(plan);
      findings.push(...boardFindings(plan));
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      findings.push(
        bad("remote", `${workspace.name}: its boards cannot be read: ${error.message}`, "forgehand doctor"),
      );
    }
  }
  const isRead = isAll && plans.length === workspaces.length;
  return [...findings, ...(isRead ? fileFindings(rules, plans) : [])];
}

function boardFindings({ workspace, boards }: WorkspacePlan): readonly Finding[] {
  if (boards.length === 0)
    return [
      warn(
        `${workspace.name}: the app may enter no team`,
        "let it in: Linear, Settings, Applications, the app, Team access",
      ),
    ];
  return boards.flatMap((board) => {
    const place = placeOf(workspace, board.team);
    const found = [...gaps(board, place, setupCommand(workspace, board.team)), ...board.findings];
    return found.length > 0 ? found : [ok(`${place}: the board has our states and labels`)];
  });
}
