import { required } from "../language/field.ts";
import { stepKind, templateLabel } from "./kind.ts";
import { target, targetId } from "./_target.ts";

/** Cancels a job. */
export const cancel = stepKind({
  name: "cancel",
  title: "a cancel step",
  description: "Cancels a job. One that already runs is not stopped.",
  fields: {
    cancel: required(
      target("The id of the step that enqueued the job, or `{job: <job id>}`.", "job"),
    ),
  },
  label: (step) =>
    `cancel ${step.cancel.step ?? templateLabel(step.cancel.job ?? step.cancel.run)}`,
  async run(step, context) {
    const { id } = targetId(step.cancel, context);
    await context.client.cancelJob(id, context.call);
    return { detail: id };
  },
});
