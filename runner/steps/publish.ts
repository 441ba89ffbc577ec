import { required } from "../language/field.ts";
import { json, text } from "../language/value_fields.ts";
import { stepKind, templateLabel } from "./kind.ts";

/** Publishes an event, for a workflow that waits for it. */
export const publish = stepKind({
  name: "publish",
  title: "a publish step",
  description: "Publishes an event, for a workflow that waits for it.",
  fields: {
    publish: required(text("The event's name.")),
    payload: json("What the workflow is given with it: any JSON value."),
  },
  type: () => "PublishResult",
  label: (step) => `publish ${templateLabel(step.publish)}`,
  async run(step, context) {
    const name = context.text(step.publish);
    const payload = step.payload ? context.resolve(step.payload) : null;
    const { event_id } = await context.client.publishEvent(name, payload, context.call);
    context.published({ event_id, name });
    return { result: { event_id, name }, detail: event_id };
  },
});
