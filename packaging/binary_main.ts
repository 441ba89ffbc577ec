/** The main module of the executable: the command line, and what users' files can import. */
import { main } from "../runner/cli/main.ts";
import { embedOwnPackage } from "../runner/cli/own_package.ts";

embedOwnPackage({
  "@dispatch/sdk": () => import("../mod.ts"),
  "@dispatch/sdk/dev": () => import("../dev/mod.ts"),
  "@dispatch/sdk/runner": () => import("../runner/mod.ts"),
  "@dispatch/sdk/testing": () => import("../testing/mod.ts"),
});

// Work that takes longer, such as a schedule or an exploration, gains by machine code after all.
const { Bun } = globalThis as unknown as { Bun: { unsafe: { setJITPolicy(scale: number): void } } };
setTimeout(() => Bun.unsafe.setJITPolicy(1), 2000).unref();

await main();
