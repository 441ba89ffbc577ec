import { delay } from "../../runtime/clock.ts";
import { readTextFile } from "../../runtime/file.ts";

/** How often files are looked at. */
const INTERVAL = 300;

/**
 * Resolves when the text of a file has changed, when one has come or gone, or when the signal is
 * aborted.
 *
 * @param list Gives the files there are now.
 */
export async function filesChanged(
  list: () => Promise<readonly string[]>,
  signal: AbortSignal,
): Promise<void> {
  const before = await readAll(list);
  while (!signal.aborted) {
    try {
      await delay(INTERVAL, { signal });
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    const now = await readAll(list);
    if (now.size !== before.size) return;
    for (const [file, text] of now) if (!before.has(file) || before.get(file) !== text) return;
  }
}

/** A file that is being written may be missing for a moment; that is a change like any other. */
async function readAll(
  list: () => Promise<readonly string[]>,
): Promise<Map<string, string | undefined>> {
  const read = async (file: string) =>
    [file, await readTextFile(file).catch(() => undefined)] as const;
  return new Map(await Promise.all((await list()).map(read)));
}
