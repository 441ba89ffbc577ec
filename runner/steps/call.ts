import { METHOD_SCOPES } from "../../protocol/method.ts";
import { required } from "../language/field.ts";
import { fixedText, json } from "../language/value_fields.ts";
import { didYouMean } from "../language/suggest.ts";
import { stepKind } from "./kind.ts";

/** Calls any method of the wire protocol. */
export const call = stepKind({
  name: "call",
  title: "a call step",
  description: "Calls a method of the wire protocol and leaves its answer as it came.",
  fields: {
    call: required(fixedText("The method, such as `job.get`.")),
    data: json("What the method is given."),
  },
  type: () => "dyn",
  check(step, { context, at }) {
    const node = at("call");
    if (!node || Object.hasOwn(METHOD_SCOPES, step.call)) return;
    const label = didYouMean(step.call, Object.keys(METHOD_SCOPES));
    context.diagnostics.warning(
      "unknown-method",
      node,
      `the protocol declares no method \`${step.call}\``,
      label === undefined ? {} : { label },
    );
  },
  label: (step) => `call ${step.call}`,
  async run(step, context) {
    const data = step.data ? context.resolve(step.data) : {};
    const result = await context.client.call(step.call, data, context.call);
    if (step.call === "workflow.event") {
      const { event_id, name } = result as { event_id: string; name: string };
      context.published({ event_id, name });
    }
    return { result };
  },
});
