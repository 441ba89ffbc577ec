import { fileKey } from "../../history/case_key.ts";
import type { ParsedArgs } from "../args.ts";
import { filterRecipes } from "../recipe_filter.ts";
import type { HealthLog } from "./log.ts";
import type { Monitor } from "./monitor.ts";
import type { Targets } from "./open_targets.ts";

/** Settings of {@linkcode endGoneChecks}. */
export interface GoneChecksOptions {
  /** The command line. */
  args: ParsedArgs;
  /** The server, as checks record it. */
  server: string;
  /** The checks that are scheduled, and those that are recorded. */
  monitor: Monitor;
  /** Who can be told. */
  targets: Targets;
  /** Where it is told that nobody can. */
  log: HealthLog;
}

/**
 * Ends the alerts of recipes that were renamed or deleted while no schedule ran, because no run would.
 * Another schedule may use the same history: only checks that this one would have run are gone.
 */
export async function endGoneChecks(options: GoneChecksOptions): Promise<void> {
  const { args, server, monitor, targets, log } = options;
  for (const { check, targets: told } of monitor.store.unregistered()) {
    if (check.server !== server || !isBelow(check.file, args.positional)) continue;
    if ((await filterRecipes([check], args)).length === 0) continue;
    const unknown: string[] = [];
    for (const name of told) if (!await targets.has(name)) unknown.push(name);
    if (unknown.length > 0) {
      const what = `cannot tell ${unknown.join(", ")} that the alert for ${check.name} is over`;
      log.warn(`${what}: nothing here has this name any more`, { check: check.id });
    }
    monitor.endRecorded(check, told.filter((name) => !unknown.includes(name)));
  }
}

/** Whether a file that is gone is one that the command line names, or was in such a directory. */
function isBelow(file: string, paths: readonly string[]): boolean {
  return paths.map(fileKey).some((path) =>
    // The current directory is the empty path; files outside of it are absolute.
    path === "" ? !/^(\/|[A-Za-z]:)/.test(file) : file === path || file.startsWith(`${path}/`)
  );
}
