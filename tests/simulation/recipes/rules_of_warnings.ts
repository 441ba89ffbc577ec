import type { CaseAttempt } from "./evidence.ts";
import { tagOf } from "./model.ts";
import type { RunEvidence } from "./recipe_rules.ts";

const UNCONSUMED = /event `\w+` \((\w+)\) was not consumed/;

/** An attempt, or a run whose cases ran side by side, and may have consumed each other's events. */
interface Group {
  attempts: readonly CaseAttempt[];
  warnings: readonly string[];
  /** When it began, and when the last of the warnings was due. */
  begin: number;
  end: number;
}

/** A published event that no run of its case has consumed is warned about, and no other. */
export function* leftoversAreTold({ plan, model, evidence }: RunEvidence): Iterable<string> {
  const all = evidence.cases.flatMap(({ attempts }) => attempts);
  const isCrowded = Math.min(plan.parallel, model.cases.length) > 1;
  const groups: Group[] = isCrowded
    ? [{ attempts: all, warnings: evidence.warnings, begin: 0, end: evidence.ended!.order }]
    : all.map((one) => {
      const { warnings, began, ended } = one;
      return { attempts: [one], warnings, begin: began.order, end: ended!.order };
    });
  for (const { attempts, warnings, begin, end } of groups) {
    const told = warnings.flatMap((text) => UNCONSUMED.exec(text)?.[1] ?? []);
    const answers = (method: string) =>
      evidence.calls.filter((call) => call.method === method && call.order > begin)
        .flatMap(({ settled }) =>
          settled && settled.order < end && "value" in settled ? [settled.value] : []
        );
    const published = [...answers("publishEvent"), ...answers("call")]
      .flatMap((answer): string[] => Object(answer).event_id ?? []);
    const consumed = new Set(answers("workflowTimeline").flatMap(eventsIn));
    for (const id of told) {
      if (!published.includes(id)) yield `9: it warns of ${id}, which it has not published`;
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

/** The ids of the events that a timeline names. */
function eventsIn(timeline: unknown): string[] {
  return (timeline as { data?: { id?: string } | null }[]).flatMap(({ data }) => data?.id ?? []);
}

/** Reports tell of the step that a script has not awaited. */
export function* looseStepsAreTold({ evidence, model, plan }: RunEvidence): Iterable<string> {
  for (const [index, { attempts }] of evidence.cases.entries()) {
    const loose = model.cases[index]!.recipe.steps.find(({ isLoose }) => isLoose);
    for (const { steps, warnings, interrupted, began } of attempts) {
      const start = loose && steps.get(tagOf(loose))?.attempts[0]?.start;
      const told = warnings.filter((text) => text.includes("is not awaited")).length;
      if (told > Number(start !== undefined)) yield `1: it warns of ${told} steps`;
      // The function can have been stopped at the very moment at which it left the step.
      const { recipe: { plan: { timeout } } } = model.cases[index]!;
      const ends = [timeout, plan.limit].map((ms) => began.at + (ms ?? NaN));
      const isTie = start && [interrupted?.at, ...ends].includes(start.at);
      if (start && told === 0 && !isTie) yield `1: it does not warn of ${tagOf(loose!)}`;
    }
  }
}
