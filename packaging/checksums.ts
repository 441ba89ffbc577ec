import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The list of checksums, as `sha256sum --check` reads it. */
const CHECKSUMS = "SHA256SUMS";

/** Writes the checksums of all files in a directory into `SHA256SUMS`. */
export function writeChecksums(directory: string): void {
  const lines = readdirSync(directory).filter((name) => name !== CHECKSUMS).sort().map((name) => {
    const digest = createHash("sha256").update(readFileSync(join(directory, name))).digest("hex");
    return `${digest}  ${name}\n`;
  });
  writeFileSync(join(directory, CHECKSUMS), lines.join(""));
}
