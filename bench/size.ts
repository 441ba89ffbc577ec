/**
 * The size of the clients in a browser, beside those of other libraries: `node bench/size.ts`. Each
 * row is an application that imports one thing, bundled by esbuild with tree shaking, minified and
 * gzipped. A separate column shows what a client loads with a dynamic import.
 *
 * @module
 */
import { bundle, type Chunk, sizeOf } from "./_bundle.ts";
import { row } from "./_measure.ts";

interface Application {
  source: string;
  external?: string[];
}

const natsCore = `export { wsconnect } from "@nats-io/nats-core";`;

const APPLICATIONS: Record<string, Application> = {
  "`Dispatch`": { source: `export { Dispatch } from "./mod.ts";` },
  "`DispatchSse`": { source: `export { DispatchSse } from "./mod.ts";` },
  "`DispatchRpc`": { source: `export { DispatchRpc } from "./mod.ts";` },
  "`DispatchAdmin`": { source: `export { DispatchAdmin } from "./mod.ts";` },
  "everything in `mod.ts`": { source: `export * from "./mod.ts";` },
  "graphql-ws": { source: `export { createClient } from "graphql-ws";` },
  "nats-core": { source: natsCore },
  "nats-core without its dependencies": {
    source: natsCore,
    external: ["@nats-io/nkeys", "@nats-io/nuid"],
  },
};

function kB(chunks: Chunk[], size: "minified" | "gzipped"): string {
  return chunks.length === 0 ? "" : `${(sizeOf(chunks)[size] / 1_000).toFixed(2)} kB`;
}

row("import", "chunks", "minified", "minified + gzip", "loaded later");
row("---", "---", "---", "---", "---");
for (const [name, { source, external }] of Object.entries(APPLICATIONS)) {
  const { first, later } = await bundle(source, external);
  row(name, first.length, kB(first, "minified"), kB(first, "gzipped"), kB(later, "gzipped"));
}
