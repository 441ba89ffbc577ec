import { deepEqual } from "node:assert/strict";
import * as validator from "@action-validator/core";

/** Holds a workflow of GitHub against the schema of its format. */
export function expectWorkflow(text: string): void {
  deepEqual(validator.validateWorkflow(text).errors, [], text);
}

/** Holds an `action.yml` against the schema of its format. */
export function expectAction(text: string): void {
  deepEqual(validator.validateAction(text).errors, [], text);
}
