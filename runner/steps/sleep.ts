import { delay } from "../../runtime/clock.ts";
import { required } from "../language/field.ts";
import { duration } from "../language/value_fields.ts";
import { formatDuration } from "../language/duration.ts";
import { stepKind, templateLabel } from "./kind.ts";

/** Does nothing for a while. */
export const sleep = stepKind({
  name: "sleep",
  title: "a sleep step",
  description: "Does nothing for a while. To wait for something, use `wait`.",
  fields: { sleep: required(duration("How long.")) },
  label: (step) => `sleep ${templateLabel(step.sleep)}`,
  async run(step, context) {
    const ms = context.duration(step.sleep);
    await delay(ms, { signal: context.signal, clock: context.clock });
    return { detail: formatDuration(ms) };
  },
});
