import { isTerminal } from "../../protocol/entity.ts";
import { required } from "../language/field.ts";
import { jobResult, runResult } from "../events/results.ts";
import { stepKind, templateLabel } from "./kind.ts";
import { target, targetId } from "./_target.ts";

/** Reads a job or a run, and leaves it under the step's id. */
export const get = stepKind({
  name: "get",
  title: "a get step",
  description: "Reads a job or a run as it stands now.",
  fields: {
    get: required(
      target("The id of an earlier step, `{job: <job id>}` or `{run: <run id>}`.", "job or run"),
    ),
  },
  type(step, check) {
    if (step.get.step !== undefined) {
      if (check.id !== undefined) check.context.addReread(check.id, step.get.step);
      return check.typeOf(step.get.step);
    }
    return step.get.job ? "JobResult" : "RunResult";
  },
  label: (step) => `get ${step.get.step ?? templateLabel(step.get.job ?? step.get.run)}`,
  async run(step, context) {
    const entity = targetId(step.get, context);
    const options = context.call;
    const follow = () =>
      context.follow(
        entity,
        (signal) =>
          entity.kind === "job"
            ? context.client.job(entity.id).events({ signal })
            : context.client.run(entity.id).events({ signal }),
      );
    let result: Record<string, unknown>;
    if (entity.kind === "job") {
      const job = await context.client.getJob(entity.id, options);
      result = jobResult(job, follow());
    } else {
      const [run, timeline] = await Promise.all([
        context.client.getWorkflow(entity.id, options),
        context.client.workflowTimeline(entity.id, options),
      ]);
      result = runResult(run, timeline, follow());
    }
    if (isTerminal(result.state as string)) await context.lastEvents(entity);
    if (context.id !== undefined) context.results.set(context.id, result, entity);
    return { result, detail: `${entity.id} ${result.state}` };
  },
});
