import { startStopwatch } from "../events/deadline.ts";
import { StepFailure } from "../events/failure.ts";
import type { Entity } from "../events/results.ts";
import { waitForEntity } from "./_wait_entity.ts";
import type { WaitStep } from "./_wait_step.ts";
import type { StepContext, StepOutcome } from "./context.ts";

/**
 * Waits for all jobs or runs of a step with `for_each`, one after the other. The deadline of the
 * wait holds for all of them together.
 */
export async function waitForList(
  step: WaitStep,
  entities: readonly Entity[],
  context: StepContext,
): Promise<StepOutcome> {
  const { clock, results } = context;
  const id = step.wait.step!;
  const elapsed = startStopwatch(clock);
  const states: { state: string; at: string }[] = [];
  const items = results.get(id) as Record<string, unknown>[];
  for (const [i, entity] of entities.entries()) {
    const keep = (result: Record<string, unknown>) => {
      const item = items[i] = { ...items[i], ...result };
      results.changed();
      return item;
    };
    try {
      const { observed } = await waitForEntity(step, { entity, keep }, context);
      states.push(observed.states.at(-1)!);
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      throw new StepFailure(error.kind, `\`${id}[${i}]\`: ${error.message}`, {
        lines: [...error.lines, `${i} of ${entities.length} were done before it`],
        span: error.span,
        ...(error.observed ? { observed: error.observed } : {}),
        cause: error,
      });
    }
  }
  const waited_ms = elapsed();
  return { result: { outcome: "reached", waited_ms, states }, detail: countStates(states) };
}

/** Counts states, as in `2 completed, 1 failed`. */
function countStates(states: readonly { state: string }[]): string {
  const counts = new Map<string, number>();
  for (const { state } of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(", ") ||
    "nothing to wait for";
}
