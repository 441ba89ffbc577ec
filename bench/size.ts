/**
 * What the client weighs in a browser: `node bench/size.ts`. Minified, gzipped, by chunk; what is
 * loaded later (MessagePack, HTTP) is in chunks of its own.
 *
 * @module
 */
import { build } from "esbuild";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { row } from "./_measure.ts";

const { outputFiles, metafile } = await build({
  stdin: {
    contents: `export { Dispatch } from "./client/dispatch.ts";`,
    resolveDir: fileURLToPath(new URL("..", import.meta.url)),
    sourcefile: "dispatch_only.ts",
  },
  bundle: true,
  minify: true,
  splitting: true,
  format: "esm",
  platform: "browser",
  target: "esnext",
  outdir: "out",
  write: false,
  metafile: true,
});
const [entry] = Object.entries(metafile.outputs).filter(([, output]) => output.entryPoint);
/** The chunks that are loaded with the entry. */
const first = new Set<string>();
const visit = (path: string) => {
  if (first.has(path)) return;
  first.add(path);
  for (const { path: next, kind } of metafile.outputs[path]!.imports) {
    if (kind === "import-statement") visit(next);
  }
};
visit(entry![0]);

row("chunks", "minified", "minified + gzip");
row("---", "---", "---");
for (const [name, loaded] of [["`Dispatch`", true], ["loaded when asked for", false]] as const) {
  const files = Object.keys(metafile.outputs).filter((path) => first.has(path) === loaded);
  const bytes = files.map((path) => outputFiles.find((file) => file.path.endsWith(path))!.contents);
  const sum = (numbers: number[]) => (numbers.reduce((a, b) => a + b, 0) / 1_000).toFixed(1);
  row(
    name,
    `${sum(bytes.map((each) => each.length))} kB`,
    `${sum(bytes.map((each) => gzipSync(each, { level: 9 }).length))} kB`,
  );
}
