/**
 * Runs recipes from the command line: `deno run -A runner.ts recipes/order-smoke.yaml`.
 *
 * @module
 */

// deno-lint-ignore no-explicit-any
const { Deno, Bun, process } = globalThis as any;
if (!Deno && !Bun && Number.parseInt(process.versions.node) < 24) {
  process.stderr.write(
    `error: dispatch needs Node 24 or newer; this is Node ${process.versions.node}\n`,
  );
  process.exitCode = 2;
} else {
  // Loaded only now: an older Node cannot parse it.
  const { main } = await import("./runner/cli/main.ts");
  await main();
}
