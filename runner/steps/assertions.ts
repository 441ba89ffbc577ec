import type { Expression, Values } from "../expression/expression.ts";
import { EvaluationError } from "../expression/expression.ts";
import { type Matcher, mismatch, type ResolvedMatcher } from "../expression/matcher.ts";
import type { Expectation } from "../expression/matcher.ts";
import type { StepContext } from "./context.ts";
import { StepFailure } from "../events/failure.ts";
import type { Span } from "../language/source.ts";

interface Unmet {
  message: string;
  lines: string[];
  span: Span;
  /** The expression whose value could not be worked out. */
  faulty?: Expression;
}

/**
 * Checks all of the conditions and expectations, so that one run shows all that are not met.
 * @throws {StepFailure} When one is not.
 */
export async function assertAll(
  conditions: readonly Expression[],
  expectations: readonly Expectation[],
  context: StepContext,
  locals: Values = {},
): Promise<void> {
  context.countCheck();
  const values = context.values(locals);
  const unmet: Unmet[] = [];
  for (const condition of conditions) {
    const failure = await checkCondition(condition, values, context);
    if (failure) unmet.push(failure);
  }
  for (const expectation of expectations) {
    unmet.push(...checkExpectation(expectation, values, context));
  }
  if (unmet.length === 0) return;
  const first = unmet[0]!;
  if (unmet.length === 1) {
    throw new StepFailure("assertion", first.message, { lines: first.lines, span: first.span });
  }
  const total = conditions.length +
    expectations.reduce((sum, { matchers }) => sum + matchers.length, 0);
  throw new StepFailure("assertion", `${unmet.length} of ${total} assertions are not met`, {
    span: first.span,
    lines: unmet.flatMap((one) => [
      oneOfSeveral(one, context),
      ...one.lines.map((line) => `  ${line}`),
    ]),
  });
}

/** What is not met, where the place in the recipe is that of another one. */
function oneOfSeveral({ message, span, faulty }: Unmet, context: StepContext): string {
  if (!faulty) return message;
  const name = `\`${faulty.text}\``;
  const named = message.startsWith(name) ? message : `${name}: ${message}`;
  return `${named} (line ${context.lineOf(span)})`;
}

async function checkCondition(
  condition: Expression,
  values: Values,
  context: StepContext,
): Promise<Unmet | undefined> {
  let fault: string | undefined;
  let span = condition.span();
  try {
    const value = condition.evaluate(values, context.ambient);
    if (value === true) return undefined;
    if (value !== false) fault = "is neither true nor false";
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    fault = error.message;
    span = error.span;
  }
  const { valueTree } = await import("../expression/value_tree.ts");
  const tree = await valueTree(condition, values, context.ambient, context.hide);
  const message = fault === undefined
    ? `\`${condition.text}\` is false`
    : fault.startsWith("is ")
    ? `\`${condition.text}\` ${fault}`
    : fault;
  // That an operand has no value is what the message says.
  const lines = tree.filter((line) => !message.endsWith(` ${line.trimStart().split("  ")[1]}`));
  return fault === undefined
    ? { message, lines: tree, span }
    : { message, lines, span, faulty: condition };
}

function checkExpectation(
  { subject, matchers, span }: Expectation,
  values: Values,
  context: StepContext,
): Unmet[] {
  let value: unknown;
  try {
    value = subject.evaluate(values, context.ambient);
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    // An absent value can be asked for with `exists`, so it is no error here.
    if (!error.absent) {
      return [{ message: error.message, lines: [], span: error.span, faulty: subject }];
    }
  }
  return matchers.flatMap((matcher): Unmet[] => {
    let resolved: ResolvedMatcher;
    try {
      resolved = resolveMatcher(matcher, context);
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      return [{ message: error.message, lines: [], span: error.span, faulty: subject }];
    }
    const lines = mismatch(value, resolved, context.hide);
    if (!lines) return [];
    return [{ message: `\`${subject.text}\` ${lines[0]}`, lines: lines.slice(1), span }];
  });
}

function resolveMatcher({ name, argument }: Matcher, context: StepContext): ResolvedMatcher {
  return {
    name,
    argument: Array.isArray(argument)
      ? argument.map((matcher) => resolveMatcher(matcher, context))
      : context.resolve(argument),
  };
}
