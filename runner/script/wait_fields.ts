import { literal } from "../expression/template.ts";
import type { WaitSettings } from "./api.ts";
import { type JobHandle, refuseHandle, type RunHandle } from "./handle.ts";
import { FunctionExpression, NOWHERE } from "./step_fields.ts";

/** Returns the fields of a wait step, as a YAML recipe would have them. */
export function waitFields(
  handle: JobHandle | RunHandle,
  { until, untilStep, failOn }: WaitSettings<string, never>,
): Record<string, unknown> {
  const states = (names: string | string[]) => [names].flat().map((state) => ({ state }));
  if (typeof handle?.stepId !== "string") {
    refuseHandle(handle, "wait", "`t.enqueue` or `t.start`");
  }
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
