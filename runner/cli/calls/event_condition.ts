import { loadCel } from "../../expression/cel.ts";
import { toCel } from "../../expression/convert.ts";
import { EvaluationError } from "../../expression/expression.ts";
import { loadPatterns } from "../../expression/load_patterns.ts";
import { Diagnostics } from "../../language/diagnostic.ts";
import { ParseContext } from "../../language/parse_context.ts";
import { renderDiagnostic } from "../../language/render_diagnostic.ts";
import { Source } from "../../language/source.ts";
import { checkExpressions } from "../../recipe/check_expressions.ts";
import { Guards } from "../../recipe/check_references.ts";
import { UsageError } from "../args.ts";
import type { CommandContext } from "../command.ts";

/** Tells whether an event meets a condition. */
export type EventCondition = (event: unknown) => boolean;

/**
 * Reads the condition of `--where`, an expression over `event` as a recipe has it.
 * @throws {UsageError} If it is not a valid condition, with the place.
 */
export async function eventCondition(
  text: string,
  { clock, random }: Pick<CommandContext, "clock" | "random">,
): Promise<EventCondition> {
  const [cel] = await Promise.all([loadCel(), loadPatterns()]);
  const diagnostics = new Diagnostics(new Source("--where", text));
  const context = new ParseContext(diagnostics);
  const span = { start: 0, end: text.length };
  const expression = context.within(
    { locals: { event: "EventResult" } },
    () =>
      context.addExpression(
        { kind: "scalar", value: text, raw: text, style: "plain", ...span },
        span,
        "`--where`",
        "condition",
      ),
  );
  checkExpressions(context, { steps: new Map(), roots: {}, records: new Map() }, new Guards(), cel);
  const [first] = diagnostics.all();
  if (first) {
    throw new UsageError(renderDiagnostic(first).replace(/^\w+: (.)/, (_, char) => char));
  }
  const ambient = { now: () => clock.now(), random };
  return (event) => {
    try {
      return expression!.evaluate({ event: toCel(event) }, ambient) === true;
    } catch (error) {
      // An event lacks a field that another type has, or the field has another type.
      if (error instanceof EvaluationError || error instanceof RangeError) return false;
      throw error;
    }
  };
}
