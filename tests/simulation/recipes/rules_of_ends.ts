import type { Moment } from "./evidence.ts";
import type { RunEvidence } from "./recipe_rules.ts";

/** How long a case may take to end its subscriptions, and to look for events that are left. */
const [UNSUBSCRIBING, LOOKING] = [1_000, 10_000];

/** A case ends soon after its last step; after an interruption with the time of its `always`. */
export function* casesEndSoon({ evidence, plan }: RunEvidence): Iterable<string> {
  if (plan.isVirtual) return;
  for (const { attempts } of evidence.cases) {
    for (const { steps, began, stepsEnded, ended, interrupted } of attempts) {
      const finished = [...steps.values()].flatMap((one) => one.finished);
      const last = finished.reduce<Moment>((a, b) => a.order > b.order ? a : b, began);
      const isStopped = interrupted && interrupted.order < last.order;
      const from = isStopped ? Math.max(stepsEnded.at, interrupted.at) : last.at;
      const published = evidence.calls.some(({ order, settled }) =>
        order > began.order && Object(settled && "value" in settled && settled.value).event_id
      );
      const late = ended!.at - from;
      const most = UNSUBSCRIBING + (published || isStopped ? LOOKING : 0);
      if (late > most + 1) yield `1: a case ended ${late} ms after its steps`;
    }
  }
}
