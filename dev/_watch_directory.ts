import { systemClock } from "../runtime/clock.ts";

/** How long a directory must be quiet: an editor's save is several changes. */
const QUIET = 60;

interface DenoWatcher extends AsyncIterable<{ paths: string[] }> {
  close(): void;
}

/**
 * Watches a directory, since editors replace files. Calls back with the names of what has changed;
 * gives what ends it.
 */
export async function watchDirectory(
  directory: URL,
  changed: (names: ReadonlySet<string>) => void,
): Promise<() => void> {
  const path = decodeURIComponent(directory.pathname);
  let names = new Set<string>();
  let timer: unknown;
  const note = (name: string) => {
    names.add(name);
    systemClock.clearTimeout(timer);
    timer = systemClock.setTimeout(() => {
      const seen = names;
      names = new Set();
      changed(seen);
    }, QUIET);
  };
  const { Deno } = globalThis as unknown as { Deno?: { watchFs(path: string): DenoWatcher } };
  const close = Deno ? watchWithDeno(Deno.watchFs(path), note) : await watchWithNode(path, note);
  return () => {
    systemClock.clearTimeout(timer);
    close();
  };
}

function watchWithDeno(watcher: DenoWatcher, note: (name: string) => void): () => void {
  void (async () => {
    for await (const { paths } of watcher) {
      for (const path of paths) note(path.slice(path.lastIndexOf("/") + 1));
    }
  })();
  return () => watcher.close();
}

async function watchWithNode(path: string, note: (name: string) => void): Promise<() => void> {
  const { watch } = await import("node:fs");
  const watcher = watch(path, (_event, name) => {
    if (name) note(name);
  });
  return () => watcher.close();
}
