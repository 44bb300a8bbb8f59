// A package is packed from what is built now, not from what an older source left behind.
import { rmSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
