import { delay } from "../../runtime/clock.ts";
import { readTextFile } from "../../runtime/file.ts";

/** How often files are looked at. */
const INTERVAL = 300;

/** Resolves when the text of one of the files has changed, or when the signal is aborted. */
export async function filesChanged(files: readonly string[], signal: AbortSignal): Promise<void> {
  const before = await readAll(files);
  while (!signal.aborted) {
    try {
      await delay(INTERVAL, { signal });
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    const now = await readAll(files);
    if (now.some((text, i) => text !== before[i])) return;
  }
}

/** A file that is being written may be missing for a moment; that is a change like any other. */
function readAll(files: readonly string[]): Promise<(string | undefined)[]> {
  return Promise.all(files.map((file) => readTextFile(file).catch(() => undefined)));
}
