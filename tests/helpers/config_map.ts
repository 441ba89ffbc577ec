import { mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where the names in the directory of a volume lead. */
const DATA = "..data";
let versions = 0;

/**
 * Writes the files of a ConfigMap as the kubelet does: the names in the directory of the volume are
 * links into another one, which is replaced as a whole.
 *
 * @param files The texts by their paths.
 */
export function writeConfigMap(mount: string, files: Readonly<Record<string, string>>): void {
  const version = `..2026_11_24_${++versions}`;
  for (const [path, text] of Object.entries(files)) {
    const file = join(mount, version, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const data = join(mount, DATA);
  const old = linkedFrom(data);
  symlinkSync(version, `${data}_tmp`);
  renameSync(`${data}_tmp`, data);
  for (const name of new Set(Object.keys(files).map((path) => path.split("/")[0]!))) {
    if (linkedFrom(join(mount, name)) === undefined) {
      symlinkSync(join(DATA, name), join(mount, name));
    }
  }
  if (old !== undefined) rmSync(join(mount, old), { recursive: true });
}

function linkedFrom(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}
