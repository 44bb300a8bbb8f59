/** What is asked for of the host and its repositories, and of no ticket. */
import type { Commands } from "../../ports-dashboard.ts";
import type { Workshop } from "../workshop.ts";
import { healthOrders } from "./health.ts";
import { ledgerOrders } from "./ledger.ts";
import { repositoryOrders } from "./repositories.ts";
import { webhookOrders } from "./webhooks.ts";

export type HostOrders = Pick<Commands, "health" | "webhooks" | "repositories" | "ledger">;

export const openHostOrders = (shop: Workshop): HostOrders => ({
  health: healthOrders(shop),
  webhooks: webhookOrders(shop),
  repositories: repositoryOrders(shop),
  ledger: ledgerOrders(shop),
});
