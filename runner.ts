/**
 * Runs recipes from the command line: `deno run -A runner.ts recipes/order-smoke.yaml`.
 *
 * @module
 */
import { main } from "./runner/cli/main.ts";

await main();
