#!/usr/bin/env node
// Runs `runner.ts` on Node. Plain JavaScript without new syntax: a Node that is too old for
// TypeScript must get far enough to say so.

const { versions, stderr } = globalThis.process;
if (!versions.bun && !versions.deno && parseInt(versions.node, 10) < 24) {
  stderr.write(`error: dispatch needs Node 24 or newer; this is Node ${versions.node}\n`);
  globalThis.process.exitCode = 2;
} else {
  import("./runner.ts");
}
