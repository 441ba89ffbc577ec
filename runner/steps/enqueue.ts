import { jobResult } from "../events/results.ts";
import { required } from "../language/field.ts";
import { integer, json, text } from "../language/value_fields.ts";
import { stepKind, templateLabel } from "./kind.ts";
import { JOB } from "./result_types.ts";

/** Enqueues a job. */
export const enqueue = stepKind({
  name: "enqueue",
  title: "an enqueue step",
  description: "Enqueues a job.",
  usage: "`enqueue: NAME`",
  fields: {
    enqueue: required(text("The job's name.")),
    payload: json("The payload for the job's handler: any JSON value."),
    queue: text("The job's queue; default: `default`."),
    priority: integer("The job's priority. Higher runs first; default: 0.", { minimum: 0 }),
  },
  writes: true,
  result: JOB,
  creates: "job",
  label: (step) => `enqueue ${templateLabel(step.enqueue)}`,
  async run(step, context) {
    const name = context.text(step.enqueue);
    const payload = step.payload ? context.resolve(step.payload) : null;
    const options = {
      ...context.callOptions,
      ...(step.queue ? { queue: context.text(step.queue) } : {}),
      ...(step.priority ? { priority: context.number(step.priority) } : {}),
    };
    const { queue } = options;
    await context.checkRequest({ enqueue: name, payload, ...queue === undefined ? {} : { queue } });
    const job = await context.client.enqueue(name, payload, options);
    const entity = { kind: "job", id: job.job_id } as const;
    const events = context.collectEvents(entity, (signal) => job.events({ signal }));
    const now = new Date(context.clock.now()).toISOString();
    // The server only returns the id, so the result starts out with the server's defaults.
    const result = jobResult({
      id: job.job_id,
      name,
      queue: job.queue,
      payload,
      state: "pending",
      priority: options.priority ?? 0,
      max_retries: 3,
      retry_count: 0,
      worker_id: "",
      run_at: now,
      timeout: 0,
      created_at: now,
      updated_at: now,
    }, events);
    if (context.id !== undefined) context.results.set(context.id, result, entity);
    return { result, detail: job.job_id };
  },
});
