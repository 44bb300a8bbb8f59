/** Where the runs of workflow files are kept. */
export interface WorkflowOptions {
  readonly database?: string | undefined;
  readonly json?: boolean | undefined;
}
export const defaultDatabase = ".forgehand/workflows.db";

export const databaseOf = ({ database = defaultDatabase }: WorkflowOptions): string => database;
