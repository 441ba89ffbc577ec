import { METHOD_SCOPES } from "../../protocol/method.ts";
import { required } from "../language/field.ts";
import { didYouMean } from "../../runtime/suggest.ts";
import { fixedText, json } from "../language/value_fields.ts";
import { stepKind } from "./kind.ts";
import { ANSWER } from "./result_types.ts";

/** Calls any method of the wire protocol. */
export const call = stepKind({
  name: "call",
  title: "a call step",
  description: "Calls any method of the wire protocol. The result is its answer, unchanged.",
  usage: "`call: METHOD`",
  fields: {
    call: required(fixedText("The method, such as `job.get`.")),
    data: json("The data of the request."),
  },
  // A method that the protocol does not declare counts as a write.
  writes: ({ call }) => !(scopeOf(call)?.endsWith(":read") ?? false),
  result: ANSWER,
  check({ call }, { context, at }) {
    const node = at("call");
    if (!node || scopeOf(call) !== undefined) return;
    const label = didYouMean(call, Object.keys(METHOD_SCOPES));
    context.diagnostics.warning(
      "unknown-method",
      node,
      `the protocol has no method \`${call}\``,
      label === undefined ? {} : { label },
    );
  },
  label: ({ call }) => `call ${call}`,
  async run(step, context) {
    const data = step.data ? context.resolve(step.data) : {};
    const result = await context.client.call(step.call, data, context.callOptions);
    if (step.call === "workflow.event") {
      const { event_id, name } = result as { event_id: string; name: string };
      context.addPublished({ event_id, name });
    }
    return { result };
  },
});

/** Returns the token scope that a method needs: `null` for none, `undefined` for an unknown method. */
function scopeOf(method: string): string | null | undefined {
  return Object.entries(METHOD_SCOPES).find(([name]) => name === method)?.[1];
}
