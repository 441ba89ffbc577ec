import type { Call, CaseAttempt } from "./evidence.ts";
import type { RunEvidence } from "./recipe_rules.ts";

const UNCONSUMED = /event `\w+` \((\w+)\) was not consumed/;

/** An attempt, or a run whose cases ran side by side, and may have consumed each other's events. */
interface Group {
  attempts: readonly CaseAttempt[];
  warnings: readonly string[];
  /** When the last of the warnings was due. */
  end: number;
}

/** A published event that no run of its case has consumed is warned about, and no other. */
export function* leftoversAreTold({ plan, model, evidence }: RunEvidence): Iterable<string> {
  const all = evidence.cases.flatMap(({ attempts }) => attempts);
  const isCrowded = Math.min(plan.parallel, model.cases.length) > 1;
  const groups: Group[] = isCrowded
    ? [{ attempts: all, warnings: evidence.warnings, end: evidence.ended!.order }]
    : all.map((one) => ({ attempts: [one], warnings: one.warnings, end: one.ended!.order }));
  for (const { attempts, warnings, end } of groups) {
    const told = warnings.flatMap((text) => UNCONSUMED.exec(text)?.[1] ?? []);
    const published = new Set(attempts.flatMap((one) => created(one, "publish")));
    const runs = new Set(attempts.flatMap((one) => created(one, "start")));
    const consumed = new Set(
      evidence.calls.filter(({ method, args, settled }) =>
        method === "workflowTimeline" && runs.has(args[0] as string) &&
        settled !== undefined && settled.order < end
      ).flatMap(eventsIn),
    );
    for (const id of told) {
      if (!published.has(id)) yield `9: it warns of ${id}, which it has not published`;
      else if (consumed.has(id)) yield `9: it warns of ${id}, which a run has consumed`;
    }
    const unchecked = attempts.some((one) => one.warnings.some(isUnchecked)) ||
      warnings.some(isUnchecked);
    if (unchecked) continue;
    for (const id of published) {
      if (!consumed.has(id) && !told.includes(id)) yield `9: it does not warn of ${id}`;
    }
  }
}

function isUnchecked(text: string): boolean {
  return text.startsWith("Cannot check for unconsumed events");
}

/** The ids of what the steps of a kind have created. */
function created({ steps }: CaseAttempt, kind: string): string[] {
  return [...steps.values()].flatMap(({ finished }) =>
    finished.flatMap(({ event }) =>
      event.kind === kind && event.status === "passed" ? [event.detail!] : []
    )
  );
}

/** The ids of the events that the answer of a timeline names. */
function eventsIn({ settled }: Call): string[] {
  if (!settled || !("value" in settled)) return [];
  return (settled.value as { data?: { id?: string } | null }[]).flatMap(({ data }) =>
    data?.id ?? []
  );
}
