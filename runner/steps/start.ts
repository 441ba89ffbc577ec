import type { RunState } from "../../protocol/entity.ts";
import { runResult } from "../events/results.ts";
import { required } from "../language/field.ts";
import { json, text } from "../language/value_fields.ts";
import { stepKind, templateLabel } from "./kind.ts";
import { RUN } from "./result_types.ts";

/** Starts a workflow. */
export const start = stepKind({
  name: "start",
  title: "a start step",
  description: "Starts a workflow. Its run continues while the next steps run.",
  usage: "`start: NAME`",
  fields: {
    start: required(text("The workflow's name.")),
    input: json("The workflow's input: any JSON value. Left out, it is an empty object."),
  },
  writes: true,
  result: RUN,
  creates: "run",
  label: (step) => `start ${templateLabel(step.start)}`,
  async run(step, context) {
    const name = context.text(step.start);
    const input = step.input ? context.resolve(step.input) : {};
    await context.checkRequest({ start: name, input });
    const run = await context.client.startWorkflow(name, input, context.callOptions)
      .catch(async (error) => {
        const { unknownWorkflowHint } = await import("./unknown_workflow.ts");
        const hint = await unknownWorkflowHint(error, name, () => context.workflowNames());
        throw hint === undefined ? error : Object.assign(error as Error, { hints: [hint] });
      });
    const entity = { kind: "run", id: run.run_id } as const;
    const events = context.collectEvents(entity, (signal) => run.events({ signal }));
    const now = new Date(context.clock.now()).toISOString();
    const result = runResult(
      {
        id: run.run_id,
        name,
        input,
        state: run.state as RunState,
        started_at: now,
        created_at: now,
        updated_at: now,
        version: 1,
      },
      [],
      events,
    );
    if (context.id === undefined) context.results.add(entity);
    else context.results.set(context.id, result, entity);
    return { result, detail: run.run_id };
  },
});
