import { required } from "../language/field.ts";
import { target, targetEntity } from "./_target.ts";
import { stepKind, templateLabel } from "./kind.ts";
import { NO_RESULT } from "./result_types.ts";

/** Cancels a job. */
export const cancel = stepKind({
  name: "cancel",
  title: "a cancel step",
  description: "Cancels a job. A job that is already running is not stopped.",
  usage: "`cancel: ID` or `{job: …}`",
  fields: {
    cancel: required(
      target("The id of the step that enqueued the job, or `{job: <job id>}`.", "job"),
    ),
  },
  writes: true,
  result: NO_RESULT,
  label: ({ cancel: { step, job, run } }) => `cancel ${step ?? templateLabel(job ?? run)}`,
  async run(step, context) {
    const { id } = targetEntity(step.cancel, context);
    await context.client.cancelJob(id, context.callOptions);
    return { detail: id };
  },
});
