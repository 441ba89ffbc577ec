#!/usr/bin/env node
// Runs `runner.ts` on Node. Plain JavaScript without new syntax: a Node that is too old for
// TypeScript must get far enough to say so.

const { versions, stderr, env, getBuiltinModule } = globalThis.process;
const isNode = !versions.bun && !versions.deno;
if (isNode && parseInt(versions.node, 10) < 24) {
  stderr.write(`error: dispatch needs Node 24 or newer; this is Node ${versions.node}\n`);
  globalThis.process.exitCode = 2;
} else {
  if (isNode) {
    // Half of a start on Node is spent on removing types and compiling. The cache lies in the
    // user's own directory: in a shared one, other users could plant code in it.
    const cache = env.XDG_CACHE_HOME || `${getBuiltinModule("node:os").homedir()}/.cache`;
    getBuiltinModule("node:module").enableCompileCache(`${cache}/dispatch`);
  }
  import("./runner.ts").catch((error) => {
    if (error.code !== "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING") throw error;
    stderr.write(
      "error: Node runs no TypeScript in node_modules: link a clone with npm, or use Bun or Deno\n",
    );
    globalThis.process.exitCode = 2;
  });
}
