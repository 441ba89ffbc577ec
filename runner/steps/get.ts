import { isTerminal } from "../../protocol/entity.ts";
import type { Entity } from "../events/results.ts";
import { jobResult, runResult } from "../events/results.ts";
import { required } from "../language/field.ts";
import { entityEvents } from "./_entity_reading.ts";
import { target, targetEntity } from "./_target.ts";
import type { StepContext } from "./context.ts";
import { stepKind, templateLabel } from "./kind.ts";

/** Reads a job or a run. */
export const get = stepKind({
  name: "get",
  title: "a get step",
  description: "Reads the current state of a job or run.",
  usage: "`get: ID`, `{job: …}` or `{run: …}`",
  fields: {
    get: required(
      target("The id of an earlier step, `{job: <job id>}` or `{run: <run id>}`.", "job or run"),
    ),
  },
  writes: false,
  result: {
    title: "a job or a run",
    typeOf({ get: { step, job } }, { id, context, typeOf }) {
      if (step === undefined) return job ? "JobResult" : "RunResult";
      if (id !== undefined) context.addRefresh(id, step);
      const type = typeOf(step);
      // Any other type is reported by the check of references.
      return type === "JobResult" || type === "RunResult" ? type : "dyn";
    },
  },
  label: ({ get: { step, job, run } }) => `get ${step ?? templateLabel(job ?? run)}`,
  async run(step, context) {
    const entity = targetEntity(step.get, context);
    const result = await read(entity, context);
    if (isTerminal(result.state as string)) await context.lastEvents(entity);
    if (context.id !== undefined) context.results.set(context.id, result, entity);
    return { result, detail: `${entity.id} ${result.state}` };
  },
});

async function read(entity: Entity, context: StepContext): Promise<Record<string, unknown>> {
  const { client, callOptions } = context;
  const collect = () =>
    context.collectEvents(entity, (signal) => entityEvents(entity, context, signal));
  if (entity.kind === "job") {
    const job = await client.getJob(entity.id, callOptions);
    return jobResult(job, collect());
  }
  const [run, timeline] = await Promise.all([
    client.getWorkflow(entity.id, callOptions),
    client.workflowTimeline(entity.id, callOptions),
  ]);
  return runResult(run, timeline, collect());
}
