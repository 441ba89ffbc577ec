import { JOB_STATES, RUN_STATES } from "../../protocol/entity.ts";
import { didYouMean } from "../../runtime/suggest.ts";
import { StepFailure } from "../events/failure.ts";
import { literal } from "../expression/template.ts";
import type { WaitSettings } from "./api.ts";
import { type JobHandle, refuseHandle, type RunHandle } from "./handle.ts";
import { FunctionExpression, NOWHERE } from "./step_fields.ts";

/**
 * Returns the fields of a wait step, as a YAML recipe would have them.
 *
 * @throws {StepFailure} If a job or run can never be what is waited for.
 */
export function waitFields(
  handle: JobHandle | RunHandle,
  { until, untilStep, failOn }: WaitSettings<string, never>,
): Record<string, unknown> {
  if (typeof handle?.stepId !== "string") {
    refuseHandle(handle, "wait", "`t.enqueue` or `t.start`");
  }
  const isJob = "job_id" in handle;
  if (isJob && untilStep !== undefined) refuse("a job has no steps to wait for; use `until`");
  if (until !== undefined && untilStep !== undefined) refuse("`until` and `untilStep` in one wait");
  const states = (names: string | string[]) =>
    [names].flat().map((state) => ({ state: knownState(state, isJob) }));
  return {
    wait: { step: handle.stepId, span: NOWHERE },
    ...(until === undefined ? {} : {
      until: typeof until === "function"
        ? { expression: new FunctionExpression(until) }
        : { states: states(until) },
    }),
    ...(untilStep === undefined ? {} : { until_step: literal(untilStep) }),
    ...(failOn === undefined ? {} : { fail_on: states(failOn) }),
  };
}

/** Returns a state of a job or run: a wait for another one would end only with its time. */
function knownState(state: string, isJob: boolean): string {
  const known: readonly string[] = isJob ? JOB_STATES : RUN_STATES;
  if (known.includes(state)) return state;
  const hint = didYouMean(state, known) ?? `it can be ${known.join(", ")}`;
  return refuse(`a ${isJob ? "job" : "run"} is never \`${state}\`; ${hint}`);
}

function refuse(message: string): never {
  throw new StepFailure("evaluation", message);
}

/** Returns the line that reports show for a wait. */
export function waitLabel(
  handle: JobHandle | RunHandle,
  { until, untilStep }: WaitSettings<string, never>,
): string {
  const what = `wait for ${handle.name}`;
  if (untilStep !== undefined) return `${what} to reach step ${untilStep}`;
  if (until === undefined) return what;
  if (typeof until === "function") return `${what} until ${until}`;
  return `${what} until ${[until].flat().join(" or ")}`;
}
