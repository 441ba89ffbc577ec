import { type ReporterRequest, REPORTERS } from "../report/registry.ts";
import type { Output, TextKind } from "../report/reporter.ts";
import { TextPieces } from "../report/report_file.ts";
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

/** Whether a reporter sends events before the last one: then all must have been checked before. */
export function sendsAtOnce({ name }: ReporterRequest): boolean {
  return REPORTERS[name]!.writes === "network";
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
    isStored: true,
  });
}

/** An output that holds what is written. */
export interface HeldOutput extends Output {
  /** Writes what it holds. */
  release(): void;
}

/** Returns an output that holds what is written until it is released. */
export function heldOutput(out: Output): HeldOutput {
  const held: { kind: TextKind; text: TextPieces }[] = [];
  return {
    ...{ isTerminal: out.isTerminal, color: out.color, columns: out.columns },
    write(text, kind = "plain") {
      if (held.at(-1)?.kind !== kind) held.push({ kind, text: new TextPieces() });
      held.at(-1)!.text.add(text);
    },
    release() {
      for (const { kind, text } of held.splice(0)) {
        for (const piece of text) out.write(piece, kind);
      }
    },
  };
}
