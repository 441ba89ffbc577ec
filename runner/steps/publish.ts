import { required } from "../language/field.ts";
import { json, text } from "../language/value_fields.ts";
import { stepKind, templateLabel } from "./kind.ts";
import { recordResult } from "./result_types.ts";

/** Publishes an event for workflows. */
export const publish = stepKind({
  name: "publish",
  title: "a publish step",
  description: "Publishes an event for a workflow that waits for it.",
  usage: "`publish: NAME`",
  fields: {
    publish: required(text("The event's name.")),
    payload: json("The event's payload: any JSON value."),
  },
  writes: true,
  result: recordResult({
    title: "a published event",
    fields: { event_id: "string", name: "string" },
  }),
  label: (step) => `publish ${templateLabel(step.publish)}`,
  async run(step, context) {
    const name = context.text(step.publish);
    const payload = step.payload ? context.resolve(step.payload) : null;
    await context.checkRequest({ publish: name });
    const { event_id } = await context.client.publishEvent(name, payload, context.callOptions);
    context.addPublished({ event_id, name });
    return { result: { event_id, name }, detail: event_id };
  },
});
