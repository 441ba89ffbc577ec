import { build, type Metafile } from "esbuild";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";

/** One file of a bundle. */
export interface Chunk {
  /** The source file that the chunk was made for: the application, or a dynamically imported file. */
  entry: string | undefined;
  /** The code. */
  text: string;
  /** The size in bytes, minified. */
  minified: number;
  /** The size in bytes, minified and gzipped. */
  gzipped: number;
}

/** The chunks of a bundled application. */
export interface Bundle {
  /** Loaded at the start: the application and its static imports. */
  first: Chunk[];
  /** Loaded by dynamic imports. */
  later: Chunk[];
}

/**
 * Bundles an application for a browser.
 * @param source The application's code, as if in a file at the project's root.
 * @param external Packages to leave out.
 */
export async function bundle(source: string, external: string[] = []): Promise<Bundle> {
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
    // A hash in the name would depend on the path of the checkout, and with it the size.
    chunkNames: "[name]",
    external,
    write: false,
    metafile: true,
  });
  const chunk = (path: string): Chunk => {
    const { contents, text } = outputFiles.find((file) => file.path.endsWith(path))!;
    return {
      entry: metafile.outputs[path]!.entryPoint,
      text,
      minified: contents.length,
      gzipped: gzipSync(contents, { level: 9 }).length,
    };
  };
  const first = reach(metafile, ["out/application.js"], ["import-statement"]);
  const all = reach(metafile, [...first], ["import-statement", "dynamic-import"]);
  return {
    first: [...first].map(chunk),
    later: [...all.difference(first)].map(chunk),
  };
}

/** Returns the given chunks and all that they load through imports of the given kinds. */
function reach(metafile: Metafile, paths: string[], kinds: string[]): Set<string> {
  const found = new Set(paths);
  for (const path of found) {
    for (const { path: next, kind, external } of metafile.outputs[path]!.imports) {
      if (kinds.includes(kind) && !external) found.add(next);
    }
  }
  return found;
}

/** Adds up the sizes of some chunks. */
export function sizeOf(chunks: Chunk[]): { minified: number; gzipped: number } {
  let minified = 0;
  let gzipped = 0;
  for (const chunk of chunks) {
    minified += chunk.minified;
    gzipped += chunk.gzipped;
  }
  return { minified, gzipped };
}
