/**
 * What differs between Deno, Bun and Node, and what all rooms take injected.
 *
 * @module
 */
export { inBrowser } from "./browser.ts";
export { type Clock, delay, type DelayOptions, systemClock, type TimerHandle } from "./clock.ts";
export { observeSockets, terminate } from "./terminate.ts";
