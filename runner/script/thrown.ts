import { StepFailure } from "../events/failure.ts";
import { toLine } from "./printable.ts";

/** What a recipe threw as an error, whatever it is. */
export function thrown(value: unknown): Error {
  if (value instanceof Error) return value;
  return new StepFailure("thrown", `the recipe threw ${toLine(value)}`, {
    lines: ["what is thrown should be an Error: nothing else knows its place"],
  });
}
