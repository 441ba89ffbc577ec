import { custom, required } from "../language/field.ts";
import { stepKind } from "./kind.ts";
import { ANSWER } from "./result_types.ts";

/** Reads the server's statistics. */
export const stats = stepKind({
  name: "stats",
  title: "a stats step",
  description: "Reads the server's statistics.",
  usage: "`stats: {}`",
  fields: {
    stats: required(
      custom<true>(
        "Takes no value: `stats: {}`, or `stats:` alone.",
        { type: ["object", "null"], maxProperties: 0 },
        (node, context, what) => {
          const isEmpty = node.kind === "map"
            ? node.entries.length === 0
            : node.kind === "scalar" && node.value === null;
          if (!isEmpty) context.wrongType(node, what, "empty");
          return true;
        },
      ),
    ),
  },
  writes: false,
  result: ANSWER,
  label: () => "stats",
  async run(_step, context) {
    return { result: await context.client.stats(context.callOptions) };
  },
});
