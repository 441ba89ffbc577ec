import { custom, required } from "../language/field.ts";
import { stepKind } from "./kind.ts";

/** Reads the server's statistics. */
export const stats = stepKind({
  name: "stats",
  title: "a stats step",
  description: "Reads the server's statistics: `stats: {}`.",
  fields: {
    stats: required(
      custom<true>(
        "Takes nothing: `stats: {}` or `stats:` alone.",
        { type: ["object", "null"], maxProperties: 0 },
        (node, context, what) => {
          const empty = node.kind === "map" ? node.entries.length === 0 : node.kind === "scalar" &&
            node.value === null;
          if (!empty) context.wrongType(node, what, "empty");
          return true;
        },
      ),
    ),
  },
  type: () => "dyn",
  label: () => "stats",
  async run(_step, context) {
    return { result: await context.client.stats(context.call) };
  },
});
