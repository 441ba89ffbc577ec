import type { ReporterRequest } from "../report/registry.ts";
import { ReporterGroup } from "../report/reporter_group.ts";
import type { ParsedArgs } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { readReporters } from "./reporter_option.ts";

/**
 * Reads the reporters for a run that is stored. What the environment adds to others is left out: an
 * export has been made by the run itself.
 *
 * @throws {UsageError} For an unknown reporter, and for two that need standard output.
 */
export function storedReporters({ lists }: ParsedArgs, { env }: CommandContext): ReporterRequest[] {
  return readReporters(lists.reporter ?? [], env, { onlyDefaults: true });
}

/** Opens reporters for the events of a run that is stored. */
export function openStoredReports(
  reporters: readonly ReporterRequest[],
  { flags }: ParsedArgs,
  { out, err, env, clock, onStuck }: CommandContext,
): Promise<ReporterGroup> {
  return ReporterGroup.open(reporters, {
    // Nothing runs, so there is nothing to draw live.
    out: { ...out, isTerminal: false },
    ...{ err, env, clock },
    ...(onStuck ? { onStuck } : {}),
    quiet: flags.has("quiet"),
    verbose: false,
  });
}
