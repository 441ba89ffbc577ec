import { formatDuration } from "../language/duration.ts";
import { required } from "../language/field.ts";
import { duration } from "../language/value_fields.ts";
import { stepKind, templateLabel } from "./kind.ts";
import { NO_RESULT } from "./result_types.ts";

/** Lets virtual time pass. */
export const advance = stepKind({
  name: "advance",
  title: "an advance step",
  description:
    "Lets virtual time pass, in a run with `--clock virtual`. It does not count for `timeout` and `within`.",
  usage: "`advance: DURATION`",
  fields: { advance: required(duration("How long, such as `5m` or `30d`.")) },
  writes: false,
  needsVirtualTime: true,
  result: NO_RESULT,
  label: (step) => `advance ${templateLabel(step.advance)}`,
  async run(step, context) {
    const ms = context.duration(step.advance);
    await context.advance(ms);
    return { detail: formatDuration(ms) };
  },
});
