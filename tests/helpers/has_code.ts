import assert from "node:assert/strict";
import { DispatchError } from "../../mod.ts";

/** Checks an error of the client by its code and its message. */
export function hasCode(code: number | string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert(error instanceof DispatchError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}
