/**
 * What the client weighs in a browser: `node bench/size.ts`. Minified, and gzipped chunk by chunk.
 * The first row is all that an application loads at its start which imports `Dispatch` and nothing
 * else. The next say what is loaded on top of it with the first use of something; they share parts,
 * so that their sum is more than the last row, which is everything.
 *
 * @module
 */
import { bundle, type Chunk, sizeOf } from "./_bundle.ts";
import { row } from "./_measure.ts";

/** What is loaded when it is first used, by what uses it. */
const LATER = {
  "reading a job, a run or the statistics": "protocol/entity.ts",
  "`wait()`, `events()`, `watch()`": "client/follow/trackers.ts",
  "`subscribe()`, `status()`": "client/subscribe/open_subscription.ts",
  "`startWorkflow()`": "client/start/lanes.ts",
  "HTTP": "client/http/http_requests.ts",
  "MessagePack, its encoder": "client/_msgpack.ts",
  "MessagePack, its package": "node_modules/@msgpack/msgpack/dist.esm/index.mjs",
  "Deno, Bun or Node instead of a browser": "runtime/terminate.ts",
};

const chunks = await bundle(`export { Dispatch } from "./mod.ts";`);

function show(name: string, some: Chunk[]): void {
  const { minified, gzipped } = sizeOf(some);
  const kB = (bytes: number) => `${(bytes / 1_000).toFixed(2)} kB`;
  row(name, some.length, kB(minified), kB(gzipped));
}

row("what", "chunks", "minified", "minified + gzip");
row("---", "---", "---", "---");
show("at the start", chunks.filter(({ isFirst }) => isFirst));
for (const [what, file] of Object.entries(LATER)) {
  const { loads } = chunks.find(({ entry }) => entry === file)!;
  show(`more with ${what}`, chunks.filter(({ name, isFirst }) => loads.has(name) && !isFirst));
}
show("everything", chunks);
