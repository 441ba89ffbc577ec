import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT, toolsEnv } from "../run_tools.mjs";

/** A registry with the package, as JSR would serve it. */
export interface Registry extends AsyncDisposable {
  /** Its address, for the variable `JSR_URL`. */
  url: string;
  /** The paths of the package's files. */
  files: readonly string[];
}

/**
 * Starts a registry on loopback. It serves the files that `deno publish` would upload, with the
 * imports as `deno publish` writes them.
 */
export async function startRegistry(): Promise<Registry> {
  const { name, version, exports, imports } = JSON.parse(
    readFileSync(join(ROOT, "deno.json"), "utf8"),
  );
  const paths = publishedFiles();
  const files = new Map<string, Uint8Array>(
    paths.map((path) => [`/${path}`, publishedText(path, imports)] as const),
  );
  const manifest: Record<string, { size: number; checksum: string }> = {};
  for (const [path, bytes] of files) {
    const checksum = `sha256-${createHash("sha256").update(bytes).digest("hex")}`;
    manifest[path] = { size: bytes.length, checksum };
  }
  const [scope, own] = name.slice(1).split("/");
  const documents: Record<string, unknown> = {
    [`/${name}/meta.json`]: { scope, name: own, latest: version, versions: { [version]: {} } },
    [`/${name}/${version}_meta.json`]: { manifest, exports },
  };
  const server = createServer((request, response) => {
    const path = request.url!;
    const document = documents[path];
    const body = document === undefined
      ? files.get(path.replace(`/${name}/${version}`, ""))
      : JSON.stringify(document);
    const type = document !== undefined || path.endsWith(".json")
      ? "application/json"
      : "text/typescript";
    response.writeHead(body === undefined ? 404 : 200, { "Content-Type": type }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    files: paths,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The paths of the files that `deno publish` would upload. */
function publishedFiles(): string[] {
  const { status, stdout, stderr } = spawnSync(
    "deno",
    ["publish", "--dry-run", "--allow-dirty", "--no-check"],
    { cwd: ROOT, env: toolsEnv(), encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`Cannot list the package's files: ${stderr}`);
  return Array.from(
    `${stdout}${stderr}`.matchAll(/^\s*(file:\S+) \(/gm),
    ([, url]) => relative(ROOT, fileURLToPath(url!)),
  );
}

/** A file as it is uploaded: names of the import map are the packages that they stand for. */
function publishedText(path: string, imports: Record<string, string>): Uint8Array {
  const bytes = readFileSync(join(ROOT, path));
  if (!path.endsWith(".ts")) return bytes;
  const text = bytes.toString().replace(
    /(\bfrom\s*|\bimport\(\s*)"([^"]+)"/g,
    (all, before: string, specifier: string) =>
      Object.hasOwn(imports, specifier) ? `${before}"${imports[specifier]}"` : all,
  );
  return new TextEncoder().encode(text);
}
