import { StepFailure } from "../events/failure.ts";
import { didYouMean } from "../language/suggest.ts";

/** Settings that every step has. */
const COMMON = ["name", "within", "soft"];

/** Refuses settings that a step does not have: misspelt ones would do nothing, and nobody would know. */
export function checkSettings(settings: unknown, own: readonly string[]): void {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
    throw new StepFailure("evaluation", "the settings of a step must be an object");
  }
  const known = [...COMMON, ...own];
  const unknown = Object.keys(settings).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const meant = didYouMean(unknown, known);
  const hint = meant === undefined ? `it takes ${known.join(", ")}` : meant;
  throw new StepFailure("evaluation", `unknown setting \`${unknown}\`; ${hint}`);
}
