import { systemClock } from "../runtime/clock.ts";

/** Calls back when the event loop has had its turn. Never by a virtual clock: sockets have none. */
export function nextTurn(callback: () => void): void {
  const immediate = (globalThis as { setImmediate?: (callback: () => void) => unknown })
    .setImmediate;
  if (immediate) immediate(callback);
  else systemClock.setTimeout(callback, 0);
}
