import type { Clock } from "./clock.ts";

// Test frameworks replace these functions with fakes, which stand still. Work that tests wait for
// uses the functions that were there when this module was loaded.
const { setTimeout, clearTimeout, queueMicrotask } = globalThis;
const { setImmediate } = globalThis as unknown as {
  setImmediate(callback: () => void): unknown;
};

const dateNow = Date.now;
const performanceNow = performance.now.bind(performance);

/** The clock of the machine, with timers that a test framework does not replace. */
export const realClock: Clock = {
  now: dateNow,
  monotonic: performanceNow,
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as number),
};

/** Calls back on the next turn of the event loop, which no clock controls. */
export function nextTurn(callback: () => void): void {
  // Deno's own function looks whether `node:test` mocks it, so that keeping it does not help.
  const isMocked = "Deno" in globalThis &&
    (globalThis as { setImmediate?: unknown }).setImmediate !== setImmediate;
  if (isMocked) nextTurnByMessage(callback);
  else setImmediate(callback);
}

function nextTurnByMessage(callback: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(null);
}

/** Calls back after the current task. */
export function afterTask(callback: () => void): void {
  queueMicrotask(callback);
}
