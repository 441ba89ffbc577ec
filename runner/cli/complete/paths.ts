import { FileError, listDirectory } from "../../../runtime/file.ts";
import { readEnv } from "../../../runtime/process.ts";
import type { Completion } from "./candidates.ts";

/**
 * Lists the directories, and the files whose names match, that a path can become. Hidden ones are
 * listed if the path asks for them.
 */
export async function paths(current: string, files = /(?:)/): Promise<Completion> {
  const directory = current.slice(0, current.lastIndexOf("/") + 1);
  const begun = current.slice(directory.length);
  const names = await namesIn(expandHome(directory));
  const candidates = names
    .filter((name) => name.startsWith(begun) && (begun !== "" || !name.startsWith(".")))
    .filter((name) => name.endsWith("/") || files.test(name))
    .map((name) => ({ value: directory + name }));
  return { candidates, isPath: true };
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await listDirectory(directory === "" ? "." : directory);
  } catch (error) {
    // The user has begun a path that does not exist.
    if (error instanceof FileError) return [];
    throw error;
  }
}

/** Shells do not expand `~` in the word that is being completed. */
function expandHome(directory: string): string {
  const home = directory.startsWith("~/") ? readEnv("HOME") : undefined;
  return home === undefined ? directory : home + directory.slice(1);
}
