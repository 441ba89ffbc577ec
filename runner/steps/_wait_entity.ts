import { isTerminal } from "../../protocol/entity.ts";
import { didYouMean } from "../../runtime/suggest.ts";
import { startStopwatch } from "../events/deadline.ts";
import type { Observed } from "../events/event.ts";
import { StepFailure } from "../events/failure.ts";
import type { Entity } from "../events/results.ts";
import { formatDuration } from "../language/duration.ts";
import { entityEvents, type EntityReading, entityTitle, readEntity } from "./_entity_reading.ts";
import { likelyCauses } from "./_likely_causes.ts";
import { Poll } from "./_poll.ts";
import { WaitGoal } from "./_wait_goal.ts";
import { WaitHistory } from "./_wait_history.ts";
import type { WaitStep } from "./_wait_step.ts";
import type { StepContext, StepOutcome } from "./context.ts";

/** After this long without an answer the connection counts as lost, in milliseconds. */
const SILENCE_LIMIT = 3000;
/** After this long without a change a wait says why that may be, in milliseconds. */
const HINT_AFTER = 3000;

/** The job or run that a wait waits for. */
export interface Awaited {
  /** The job or run. */
  entity: Entity;
  /** Updates its result, and returns the result with fields that its step has added. */
  keep(result: Record<string, unknown>): Record<string, unknown>;
}

/**
 * Waits for a job or run. The state is read first, so that the wait cannot miss what has already
 * happened. After that it is read again on each event, and in growing intervals without events.
 */
export async function waitForEntity(
  step: WaitStep,
  { entity, keep }: Awaited,
  context: StepContext,
): Promise<StepOutcome & { observed: Observed }> {
  const { clock } = context;
  const elapsed = startStopwatch(clock);
  const goal = new WaitGoal(step, context);
  const history = new WaitHistory(entity, clock.now());
  const details = () => ({ lines: history.lines(), observed: history.observed() });
  using poll = new Poll(context, (signal) => entityEvents(entity, context, signal));
  let last: EntityReading | undefined;
  let missing: string | undefined;
  let answered = 0;
  /** When the server was asked, while there is no answer. */
  let asked: number | undefined;
  try {
    while (true) {
      asked = elapsed();
      last = await readEntity(entity, context);
      asked = undefined;
      answered = elapsed();
      history.add(last, answered);
      last.result = keep(last.result);
      const hasEnded = isTerminal(last.state);
      if (hasEnded) await context.lastEvents(entity);
      const check = goal.check(last, context);
      missing = check.missing?.message;
      if (check.reached) {
        const observed = history.observed();
        return {
          result: { outcome: "reached", waited_ms: elapsed(), states: observed.states },
          observed,
          detail: goal.checkpoint === undefined
            ? last.state
            : `${last.state}, ${goal.checkpoint} reached`,
        };
      }
      if (hasEnded && check.missing) {
        const message = `${entityTitle(last)} is ${last.state}, and ${missing}`;
        throw new StepFailure("evaluation", message, { ...details(), span: check.missing.span });
      }
      if (hasEnded || step.fail_on?.some(({ state }) => state === last!.state)) {
        const lines = [...history.lines(), ...stepHint(last, goal)];
        throw new StepFailure("wait", missedMessage(last, goal), { ...details(), lines });
      }
      const done = history.lastCheckpoint;
      const progress = `${last.state}${done === undefined ? "" : `, ${done} done`}`;
      const isStill = answered - history.lastChange >= HINT_AFTER;
      const [cause] = isStill ? likelyCauses(last, context) : [];
      context.reportProgress(cause === undefined ? progress : `${progress}; ${cause}`);
      await poll.next();
    }
  } catch (error) {
    const { lines, observed } = details();
    // The pause before a read is no silence: in virtual time it may be hours.
    const silence = elapsed() - (asked ?? elapsed());
    if (last && (isConnectionError(error) || (context.timedOut && silence >= SILENCE_LIMIT))) {
      const message = `the connection was lost while waiting for ${entityTitle(last)}`;
      throw new StepFailure("connection", message, {
        observed,
        lines: [...lines, `the server has not answered for ${formatDuration(silence)}`],
        cause: error,
      });
    }
    if (!context.timedOut) throw error;
    const waited = formatDuration(elapsed());
    const hint = last ? stepHint(last, goal) : [];
    const causes = missing === undefined && last && hint.length === 0
      ? likelyCauses(last, context)
      : missing ?? hint;
    throw new StepFailure("deadline", deadlineMessage(last, goal, waited), {
      observed,
      lines: lines.concat(causes),
      cause: error,
    });
  }
}

/** Suggests the name of a step in the timeline for a misspelt one. */
function stepHint({ timeline }: EntityReading, { checkpoint }: WaitGoal): string[] {
  if (checkpoint === undefined) return [];
  const meant = didYouMean(checkpoint, timeline.map(({ step_name }) => step_name));
  return meant === undefined ? [] : [`no step \`${checkpoint}\` was seen; ${meant}`];
}

function isConnectionError(error: unknown): boolean {
  const { name } = (error ?? {}) as Partial<Error>;
  return name === "ConnectionError" || name === "TimeoutError";
}

/** The message for a job or run that can no longer reach the goal. */
function missedMessage(last: EntityReading, goal: WaitGoal): string {
  const { state, run, job } = last;
  const error = run?.error || (state === "failed" && job?.last_error) || undefined;
  const missed = goal.checkpoint === undefined
    ? `, not ${goal.describe()}`
    : ` without reaching step \`${goal.checkpoint}\``;
  return `${entityTitle(last)} is ${state}${missed}${error ? `: ${error}` : ""}`;
}

function deadlineMessage(last: EntityReading | undefined, goal: WaitGoal, waited: string): string {
  if (!last) return `the server did not answer within ${waited}`;
  const wanted = goal.checkpoint === undefined ? goal.describe() : `at step \`${goal.checkpoint}\``;
  return `${entityTitle(last)} is still ${last.state} after ${waited}, not ${wanted}`;
}
