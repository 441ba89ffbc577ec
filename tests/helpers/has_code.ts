import assert from "node:assert/strict";
import { DispatchError } from "../../mod.ts";

/** Creates a check of a client error's code and message. */
export function hasCode(code: number | string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert(error instanceof DispatchError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}
