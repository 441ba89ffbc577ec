import type { Clock, TimerHandle } from "../runtime/clock.ts";

/** How long to wait after the last change: saving a file in an editor causes several. */
const QUIET_MS = 60;

interface DenoWatcher extends AsyncIterable<{ paths: string[] }> {
  close(): void;
}

/**
 * Watches a directory, because a watch on a file ends when an editor replaces the file.
 * @param onChange Receives the names of the files that changed.
 * @returns A function that stops watching.
 */
export async function watchDirectory(
  directory: URL,
  clock: Clock,
  onChange: (names: ReadonlySet<string>) => void,
): Promise<() => void> {
  const path = decodeURIComponent(directory.pathname);
  let names = new Set<string>();
  let timer: TimerHandle;
  const addName = (name: string) => {
    names.add(name);
    clock.clearTimeout(timer);
    timer = clock.setTimeout(() => {
      const changed = names;
      names = new Set();
      onChange(changed);
    }, QUIET_MS);
  };
  const { Deno } = globalThis as unknown as { Deno?: { watchFs(path: string): DenoWatcher } };
  const stop = Deno
    ? watchWithDeno(Deno.watchFs(path), addName)
    : await watchWithNode(path, addName);
  return () => {
    clock.clearTimeout(timer);
    stop();
  };
}

function watchWithDeno(watcher: DenoWatcher, onName: (name: string) => void): () => void {
  void (async () => {
    for await (const { paths } of watcher) {
      for (const path of paths) onName(path.slice(path.lastIndexOf("/") + 1));
    }
  })();
  return () => watcher.close();
}

async function watchWithNode(path: string, onName: (name: string) => void): Promise<() => void> {
  const { watch } = await import("node:fs");
  const watcher = watch(path, (_event, name) => {
    if (name) onName(name);
  });
  return () => watcher.close();
}
