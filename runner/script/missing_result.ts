import { StepFailure } from "../events/failure.ts";
import type { Step } from "../language/model.ts";

/** Returns a stand-in for the result of a soft step that has failed. Any use of it throws. */
export function missingResult({ number }: Step): unknown {
  const refuse = (): never => {
    throw new StepFailure("evaluation", `step ${number} has failed and has no result`);
  };
  return new Proxy({}, {
    // `await` asks whether the value is a promise.
    get: (_, key) => typeof key === "symbol" || key === "then" ? undefined : refuse(),
    has: refuse,
    ownKeys: refuse,
  });
}
