/** Every operation of the API; what is mounted, described and tested is exactly these. */
import { z } from "zod";
import type { RoomParts } from "../answer.ts";
import type { Known } from "../door.ts";
import type { Pulse } from "../pulse.ts";
import { operation, type Operation } from "./operation.ts";
import { hostOperations } from "./host.ts";
import { ledgerOperations } from "./ledger.ts";
import { logOperations } from "./logs.ts";
import { houseOperations } from "./operations-house.ts";
import { issueOperation, symphonyOperations } from "./operations-symphony.ts";
import { ticketOperations } from "./operations-tickets.ts";
import { pastOperations } from "./past.ts";
import { repositoryOperations } from "./repositories.ts";
import { runOperations } from "./runs.ts";
import { eventsOperation } from "./stream.ts";

export interface ApiParts extends RoomParts {
  readonly door: Known;
  readonly pulse: Pulse;
  /** This very document. */
  document(): Promise<object>;
}

export const operationsOf = (parts: ApiParts): readonly Operation[] => [
  operation({
    id: "getDocument",
    method: "get",
    path: "/openapi.json",
    tag: "house",
    summary: "This document",
    says: "The API as OpenAPI 3.1 has it.",
    answer: { status: 200, says: "The document.", body: z.looseObject({ openapi: z.string() }) },
    refuses: [],
    handle: async () => ({ openapi: "", ...(await parts.document()) }),
  }),
  ...houseOperations(parts),
  ...symphonyOperations(parts, parts.door.now),
  eventsOperation(parts),
  ...ticketOperations(parts),
  ...runOperations(parts),
  ...logOperations(parts),
  ...pastOperations(parts, parts.door.now),
  ...repositoryOperations(parts),
  ...ledgerOperations(parts),
  ...hostOperations(parts),
  issueOperation(parts),
];

/** The same with nothing behind them, to be described and never asked. */
export const describedOperations = (): readonly Operation[] =>
  // Handlers alone look behind these.
  operationsOf({ door: { now: () => 0 } } as unknown as ApiParts);
