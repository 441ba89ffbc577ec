import type { Deadline } from "../events/deadline.ts";
import type { Results } from "../events/results.ts";
import type { Values } from "../expression/expression.ts";
import type { CaseScope } from "./case_scope.ts";

/** The surroundings of a step: the top of a case, a `parallel`, or an item of a `for_each`. */
export interface StepScope {
  /** The case. */
  readonly case: CaseScope;
  /** The limit around the step. */
  readonly deadline: Deadline;
  /** The results that the step sees and adds to. */
  readonly results: Results;
  /** Names that exist only here, such as `item`. */
  readonly locals: Values;
  /** Called when the step may have changed the server. */
  readonly onWrite: () => void;
}

/** Returns all names that the expressions of a step see. */
export function valuesOf({ results, locals }: StepScope, more: Values = {}): Values {
  return Object.assign(Object.create(results.values()), locals, more);
}
