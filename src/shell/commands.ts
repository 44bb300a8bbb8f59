import type { Commands } from "../ports-dashboard.ts";
import { openOrders, type OrdersOptions } from "./orders.ts";
import { openHostOrders } from "./pages/orders.ts";
import type { Workshop } from "./workshop.ts";

/** Everything that may be asked for on pages and by programs. */
export const openCommands = (shop: Workshop, options: OrdersOptions): Commands => ({
  ...openOrders(options),
  ...openHostOrders(shop),
});
