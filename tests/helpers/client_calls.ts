import { Dispatch } from "../../mod.ts";

/** The methods that are not calls: they send no request of their own. */
const NO_CALLS = ["constructor", "close", "connect", "job", "run", "status"];

/** The names of all calls of a client, those that it inherits included. */
export function clientCalls(): string[] {
  const names: string[] = [];
  let prototype: object = Dispatch.prototype;
  while (prototype !== Object.prototype) {
    names.push(...Object.getOwnPropertyNames(prototype));
    prototype = Object.getPrototypeOf(prototype);
  }
  return [...new Set(names)].filter((name) => !NO_CALLS.includes(name)).toSorted();
}
