import type { Clock } from "../../../runtime/clock.ts";
import { isRunnerFile, siteOfFrame } from "../../events/call_site.ts";

/** What handlers get instead of the time and the random numbers of the machine. */
export interface Ambient {
  /** The clock of the server. */
  clock: Clock;
  /** Lets the clock skip although a handler holds it; returns a function that ends that. */
  excuse: () => () => void;
  /** Returns a random number in the range [0, 1). */
  random: () => number;
  /** Returns a callback of a timer that does nothing once the handler's process has died. */
  bind: (callback: () => void) => () => void;
}

/** The globals that are replaced. */
const NAMES = ["Date", "setTimeout", "clearTimeout", "setInterval", "clearInterval"] as const;

/** A timer that the clock of the server has. */
class VirtualTimer {
  handle: unknown;
  end: () => void = () => {};
  isOver = false;

  // What code may do with a timer of Node.
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  refresh(): this {
    return this;
  }

  [Symbol.toPrimitive](): number {
    return 0;
  }
}

/**
 * Replaces `Date`, `Math.random`, `crypto.randomUUID` and the global timers, so that handlers which
 * use them do the same in each run of a seed and take no real time. Code of packages and of the
 * runtime keeps the real timers.
 *
 * @returns A function that puts everything back.
 */
export function replaceGlobals({ clock, excuse, random, bind }: Ambient): () => void {
  const globals = globalThis as unknown as Record<string, unknown>;
  const before = new Map<string, unknown>(NAMES.map((name) => [name, globals[name]]));
  const { setTimeout, clearTimeout, setInterval, clearInterval, Date: RealDate } = globalThis;
  const { random: realRandom } = Math;
  const { randomUUID } = crypto;
  const open = new Set<VirtualTimer>();

  const clear = (timer: VirtualTimer) => {
    timer.isOver = true;
    timer.end();
    clock.clearTimeout(timer.handle);
    open.delete(timer);
  };
  globals.setTimeout = (callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    if (!isOwnCode()) return setTimeout(callback, ms, ...args);
    const timer = new VirtualTimer();
    open.add(timer);
    // The handler waits for this timer, though it looks busy to the clock.
    timer.end = excuse();
    const call = bind(() => callback(...args));
    timer.handle = clock.setTimeout(() => {
      clear(timer);
      call();
    }, Number(ms) || 0);
    return timer;
  };
  globals.setInterval = (callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    if (!isOwnCode()) return setInterval(callback, ms, ...args);
    const timer = new VirtualTimer();
    open.add(timer);
    const call = bind(() => callback(...args));
    const next = () => {
      timer.handle = clock.setTimeout(() => {
        call();
        if (!timer.isOver) next();
      }, Math.max(Number(ms) || 0, 1));
    };
    next();
    return timer;
  };
  const clearAny = (clearReal: (timer: number) => void) => (timer: unknown) => {
    if (timer instanceof VirtualTimer) clear(timer);
    else clearReal(timer as number);
  };
  globals.clearTimeout = clearAny(clearTimeout);
  globals.clearInterval = clearAny(clearInterval);
  globals.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [clock.now()] : args, newTarget),
    apply: () => new RealDate(clock.now()).toString(),
    get: (target, key, receiver) =>
      key === "now" ? () => clock.now() : Reflect.get(target, key, receiver),
  });
  Math.random = random;
  crypto.randomUUID = () => uuid(random);
  return () => {
    for (const timer of open) clear(timer);
    for (const [name, value] of before) globals[name] = value;
    Math.random = realRandom;
    crypto.randomUUID = randomUUID;
  };
}

/** Frames of the runtime and of packages. */
const OTHER_CODE = /node_modules|\/npm\/|\b(?:node|ext|bun):|https?:\/\//;

/**
 * Whether a timer is set by code of the user, and not by the runner, whose client has real timers
 * in a handler, or by a package that may wait for a network.
 */
function isOwnCode(): boolean {
  const { stack = "" } = new Error();
  const frames = stack.split("\n").filter((line) => /\bat /.test(line));
  // On Bun the constructor of a promise is a frame of its own.
  const caller = frames.find((line) => !/ambient\.ts|\(native/.test(line));
  if (caller === undefined || OTHER_CODE.test(caller)) return false;
  const site = siteOfFrame(caller);
  return !site || !isRunnerFile(site.file);
}

function uuid(random: () => number): ReturnType<typeof crypto.randomUUID> {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16));
  hex[12] = "4";
  hex[16] = "89ab"[Math.floor(random() * 4)]!;
  const text = hex.join("");
  const parts = [[0, 8], [8, 12], [12, 16], [16, 20], [20, 32]] as const;
  return parts.map(([from, to]) => text.slice(from, to)).join("-") as ReturnType<
    typeof crypto.randomUUID
  >;
}
