import { StepFailure } from "../events/failure.ts";
import type { Step } from "../language/model.ts";

/** What a soft step gives that failed: the recipe goes on until it needs what the step left. */
export function nothingLeft({ number }: Step): unknown {
  const refuse = (): never => {
    throw new StepFailure("evaluation", `step ${number} failed and left nothing`);
  };
  return new Proxy({}, {
    // A promise that resolves with it asks whether it is a promise itself.
    get: (_, key) => typeof key === "symbol" || key === "then" ? undefined : refuse(),
    has: refuse,
    ownKeys: refuse,
  });
}
