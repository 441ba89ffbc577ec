// deno-lint-ignore-file no-console
// Runs the command line of the process, and then prints which modules of the project and of Node it
// has loaded.
import { relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const loaded = new Set<string>();

/** Remembers a module, unless it belongs to a package. */
function remember(path: string): void {
  const name = relative(root, path).replaceAll("\\", "/");
  if (!name.startsWith("..") && !name.startsWith("node_modules/")) loaded.add(name);
}

// deno-lint-ignore no-explicit-any
const { Bun } = globalThis as any;
if (Bun) {
  Bun.plugin({
    name: "loaded modules",
    // deno-lint-ignore no-explicit-any
    setup(build: any) {
      build.onLoad({ filter: /\.ts$/ }, async ({ path }: { path: string }) => {
        remember(path);
        return { contents: await Bun.file(path).text(), loader: "ts" };
      });
    },
  });
} else {
  // Bun has none.
  const { registerHooks } = await import("node:module");
  registerHooks({
    load(url, context, next) {
      if (url.startsWith("file:")) remember(fileURLToPath(url));
      return next(url, context);
    },
  });
}
// Not imported above: a module is only seen if it is loaded after the hook.
const { main } = await import("../../runner/cli/main.ts");
await main();
// Only Node has this list.
const { moduleLoadList = [] } = process as unknown as { moduleLoadList?: string[] };
for (const name of moduleLoadList) loaded.add(name);
console.log(`loaded ${JSON.stringify([...loaded].sort())}`);
