import { build, type Metafile } from "esbuild";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";

/** A file of a bundle. */
export interface Chunk {
  name: string;
  text: string;
  /** Bytes as they are, and gzipped. */
  minified: number;
  gzipped: number;
  /** Whether it is loaded with the application: the entry, and what that imports statically. */
  isFirst: boolean;
  /** The file it was made for, where that is imported dynamically. */
  entry: string | undefined;
  /** The names of all that is loaded with it, itself among them. */
  loads: Set<string>;
}

/** Bundles an application as one would for a browser. */
export async function bundle(source: string): Promise<Chunk[]> {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: source,
      resolveDir: fileURLToPath(new URL("..", import.meta.url)),
      sourcefile: "application.ts",
    },
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: "esnext",
    outdir: "out",
    entryNames: "application",
    write: false,
    metafile: true,
  });
  const first = reached(metafile, "out/application.js");
  return Object.entries(metafile.outputs).map(([path, { entryPoint }]) => {
    const { contents, text } = outputFiles.find((file) => file.path.endsWith(path))!;
    return {
      name: nameOf(path),
      text,
      minified: contents.length,
      gzipped: gzipSync(contents, { level: 9 }).length,
      isFirst: first.has(path),
      entry: entryPoint,
      loads: new Set([...reached(metafile, path)].map(nameOf)),
    };
  });
}

function nameOf(path: string): string {
  return path.slice("out/".length);
}

/** A chunk, and all that it imports statically. */
function reached(metafile: Metafile, path: string, known: Set<string> = new Set()): Set<string> {
  if (known.has(path)) return known;
  known.add(path);
  for (const { path: next, kind } of metafile.outputs[path]!.imports) {
    if (kind === "import-statement") reached(metafile, next, known);
  }
  return known;
}

/** Bytes of some chunks together. */
export function sizeOf(chunks: Chunk[]): { minified: number; gzipped: number } {
  let minified = 0;
  let gzipped = 0;
  for (const each of chunks) {
    minified += each.minified;
    gzipped += each.gzipped;
  }
  return { minified, gzipped };
}
