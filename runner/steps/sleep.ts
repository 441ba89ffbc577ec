import { delay } from "../../runtime/clock.ts";
import { formatDuration } from "../language/duration.ts";
import { required } from "../language/field.ts";
import { duration } from "../language/value_fields.ts";
import { stepKind, templateLabel } from "./kind.ts";
import { NO_RESULT } from "./result_types.ts";

/** Pauses the recipe. */
export const sleep = stepKind({
  name: "sleep",
  title: "a sleep step",
  description: "Pauses the recipe. Use `wait` to wait for a job, a run or an event.",
  usage: "`sleep: DURATION`",
  fields: { sleep: required(duration("How long to pause, such as `250ms`.")) },
  writes: false,
  result: NO_RESULT,
  label: (step) => `sleep ${templateLabel(step.sleep)}`,
  async run(step, context) {
    const ms = context.duration(step.sleep);
    await delay(ms, { signal: context.signal, clock: context.clock });
    return { detail: formatDuration(ms) };
  },
});
