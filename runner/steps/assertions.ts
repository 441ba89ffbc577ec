import { needsBreak, takeBreak } from "../expression/budget.ts";
import { EvaluationError, type Expression, type Values } from "../expression/expression.ts";
import {
  type Expectation,
  type Matcher,
  mismatch,
  type ResolvedMatcher,
} from "../expression/matcher.ts";
import { StepFailure } from "../events/failure.ts";
import type { Span } from "../language/source.ts";
import type { StepContext } from "./context.ts";

/** An assertion that does not hold. */
interface Failed {
  message: string;
  lines: string[];
  span: Span;
  /** The expression that could not be evaluated. */
  invalid?: Expression;
}

/**
 * Checks conditions and expectations. All of them are checked, so that the failure shows every one
 * that does not hold.
 *
 * @throws {StepFailure} If one does not hold.
 */
export async function assertAll(
  conditions: readonly Expression[],
  expectations: readonly Expectation[],
  context: StepContext,
  locals: Values = {},
): Promise<void> {
  context.countCheck();
  const values = context.values(locals);
  const failed: Failed[] = [];
  const takeTurn = async () => {
    if (!needsBreak()) return;
    await takeBreak();
    context.signal.throwIfAborted();
  };
  for (const condition of conditions) {
    await takeTurn();
    const one = await checkCondition(condition, values, context);
    if (one) failed.push(one);
  }
  for (const expectation of expectations) {
    await takeTurn();
    failed.push(...checkExpectation(expectation, values, context));
  }
  const [first] = failed;
  if (!first) return;
  const { span } = first;
  if (failed.length === 1) {
    throw new StepFailure("assertion", first.message, { lines: first.lines, span });
  }
  const total = conditions.length +
    expectations.reduce((sum, { matchers }) => sum + matchers.length, 0);
  throw new StepFailure("assertion", `${failed.length} of ${total} assertions do not hold`, {
    span,
    lines: failed.flatMap((one) => [
      messageWithPlace(one, context),
      ...one.lines.map((line) => `  ${line}`),
    ]),
  });
}

/** Returns a message that also names the expression and its line, where the report shows another. */
function messageWithPlace({ message, span, invalid }: Failed, context: StepContext): string {
  if (!invalid) return message;
  const name = `\`${invalid.text}\``;
  const named = message.startsWith(name) ? message : `${name}: ${message}`;
  return `${named} (line ${context.lineOf(span)})`;
}

async function checkCondition(
  condition: Expression,
  values: Values,
  context: StepContext,
): Promise<Failed | undefined> {
  let problem: string | undefined;
  let span = condition.span();
  try {
    const value = condition.evaluate(values, context.ambient);
    if (value === true) return undefined;
    if (value !== false) problem = `\`${condition.text}\` is neither true nor false`;
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    problem = error.message;
    span = error.span;
  }
  const { valueTree } = await import("../expression/value_tree.ts");
  const lines = await valueTree(condition, values, context.ambient, context.hide);
  if (problem === undefined) return { message: `\`${condition.text}\` is false`, lines, span };
  return {
    message: problem,
    // The message says already that an operand is absent.
    lines: lines.filter((line) => !problem.endsWith(` ${line.trimStart().split("  ")[1]}`)),
    span,
    invalid: condition,
  };
}

function checkExpectation(
  { subject, matchers, span }: Expectation,
  values: Values,
  context: StepContext,
): Failed[] {
  const invalid = ({ message, span }: EvaluationError): Failed[] => [
    { message, lines: [], span, invalid: subject },
  ];
  let value: unknown;
  try {
    const asksNoDigits = matchers.every(({ name }) => /^(exists|length|type)$/.test(name));
    value = subject.evaluate(values, context.ambient, asksNoDigits);
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    // An absent value can be what is expected.
    if (!error.absent) return invalid(error);
  }
  return matchers.flatMap((matcher): Failed[] => {
    let resolved: ResolvedMatcher;
    try {
      resolved = resolveMatcher(matcher, context);
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      return invalid(error);
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
