/**
 * Functions that differ between Deno, Bun and Node, and the clock that tests replace.
 *
 * @module
 */
export { inBrowser } from "./browser.ts";
export {
  type Clock,
  delay,
  type DelayOptions,
  monotonicNow,
  systemClock,
  type TimerHandle,
} from "./clock.ts";
export { observeSockets, terminate } from "./terminate.ts";
