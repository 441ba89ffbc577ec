import { required } from "../language/field.ts";
import { integer, json, text } from "../language/value_fields.ts";
import { jobResult } from "../events/results.ts";
import { stepKind, templateLabel } from "./kind.ts";

/** Enqueues a job and leaves it under the step's id. */
export const enqueue = stepKind({
  name: "enqueue",
  title: "an enqueue step",
  description: "Enqueues a job.",
  fields: {
    enqueue: required(text("The job's name.")),
    payload: json("What the job's handler is given: any JSON value."),
    queue: text("The queue it waits in; `default` when it is not given."),
    priority: integer("Higher runs first; 0 when it is not given.", { minimum: 0 }),
  },
  type: () => "JobResult",
  label: (step) => `enqueue ${templateLabel(step.enqueue)}`,
  async run(step, context) {
    const name = context.text(step.enqueue);
    const payload = step.payload ? context.resolve(step.payload) : null;
    const options = {
      ...context.call,
      ...(step.queue ? { queue: context.text(step.queue) } : {}),
      ...(step.priority ? { priority: context.number(step.priority) } : {}),
    };
    const job = await context.client.enqueue(name, payload, options);
    const entity = { kind: "job", id: job.job_id } as const;
    const events = context.follow(entity, (signal) => job.events({ signal }));
    const now = new Date(context.clock.now()).toISOString();
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
    if (context.id !== undefined) {
      context.results.set(context.id, result, entity);
    }
    return { result, detail: job.job_id };
  },
});
