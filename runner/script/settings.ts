import { StepFailure } from "../events/failure.ts";
import { didYouMean } from "../language/suggest.ts";

/** The settings of every step. */
const COMMON = ["name", "within", "soft"];

/**
 * Throws if a step's settings have an unknown name. Otherwise a misspelt setting would be ignored.
 *
 * @param own The names of the settings that only this kind of step has.
 */
export function checkSettings(settings: unknown, own: readonly string[]): void {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
    throw new StepFailure("evaluation", "the settings of a step must be an object");
  }
  const known = [...COMMON, ...own];
  const unknown = Object.keys(settings).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const hint = didYouMean(unknown, known) ?? `the settings are ${known.join(", ")}`;
  throw new StepFailure("evaluation", `unknown setting \`${unknown}\`; ${hint}`);
}
