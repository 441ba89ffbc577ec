import { type Clock, pause } from "../../runtime/clock.ts";
import { readTextFile } from "../../runtime/file.ts";

/** The time between two comparisons, in milliseconds. */
const INTERVAL = 300;

/** The most bytes of a file that is watched; a module can be larger than a YAML recipe. */
const MOST = 16 << 20;

/** Returns the files to watch. Called for each comparison, because files come and go. */
export type ListFiles = () => Promise<readonly string[]>;

/** The text of each file at one moment; `undefined` for a file that could not be read. */
export type Snapshot = ReadonlyMap<string, string | undefined>;

/** Reads all files. One that is being replaced can be missing for a moment: that is a change too. */
export async function readFiles(list: ListFiles): Promise<Snapshot> {
  const read = async (file: string) =>
    [file, await readTextFile(file, "recipe", MOST).catch(() => undefined)] as const;
  return new Map(await Promise.all((await list()).map(read)));
}

/** Resolves when the files differ from those in the snapshot, or when the signal is aborted. */
export async function filesChanged(
  before: Snapshot,
  list: ListFiles,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    if (!await pause(INTERVAL, { signal, clock })) return;
    const now = await readFiles(list);
    if (now.size !== before.size) return;
    for (const [file, text] of now) if (!before.has(file) || before.get(file) !== text) return;
  }
}
