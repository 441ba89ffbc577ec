// Rule 7 says that a closed client gives its memory back, which nothing in a trace shows. So the inner
// objects of clients are noted in weak references; what a caller would keep, the client and the
// signals, is kept; the world is dropped; and a garbage collection shows which objects are left.
import { Call } from "../../client/connection/call.ts";
import { Deadlines } from "../../client/connection/deadlines.ts";
import { Link } from "../../client/connection/link.ts";
import { Tracker } from "../../client/follow/tracker.ts";
import { ChannelEventSource } from "../../client/http/event_source.ts";
import { HttpSession } from "../../client/http/http_session.ts";
import { SseSession } from "../../client/http/sse_session.ts";
import { Session } from "../../client/session.ts";
import { Lane } from "../../client/start/lane.ts";
import { BoundedQueue } from "../../client/subscribe/bounded_queue.ts";
import { CreditWindow } from "../../client/subscribe/credits.ts";
import { ChannelRouter } from "../../client/subscribe/event_router.ts";
import type { DispatchOptions, HttpOptions } from "../../mod.ts";

/** What a caller keeps of a client that it has closed. */
export interface Kept {
  client?: object;
  readonly signals: readonly AbortSignal[];
}

/** Something that a closed client did not give back. */
export interface Leftover<P> {
  /** The program that the client was part of. */
  readonly program: P;
  /** What contradicts the rule. */
  readonly violation: string;
}

/** An object that may not outlive its client. */
interface Noted<P> {
  readonly what: string;
  readonly program: P;
  readonly ref: WeakRef<object>;
}

/** Of how many programs a collection may leave an object, if so many have one. */
function tolerance(programs: number): number {
  return "Bun" in globalThis ? Math.max(10, programs / 2) : 0;
}

/**
 * Looks for objects that closed clients did not give back. Node and Deno name every such object. Bun
 * takes all that is on its stack for references, so a few are always left: there a kind of object
 * counts only if it is left in most programs.
 */
export class MemoryCheck<P> {
  #program!: P;
  #noted: Noted<P>[] = [];
  #seen = new WeakSet<object>();
  #kept: Kept[] = [];
  /** The sessions of the clients of the program. */
  readonly #sessions = new Set<Session | HttpSession>();

  /** Begins to note the objects of a program, and of no earlier one. */
  begin(program: P): void {
    patchClients();
    this.#program = program;
    onObject = (what, object) => {
      if (what === "session") {
        this.#sessions.add(object as Session);
        return;
      }
      // Other deadlines are timers, which a clock counts.
      if (this.#seen.has(object) || (what === "call" && !(object instanceof Call))) return;
      this.#seen.add(object);
      this.#noted.push({ what, program, ref: new WeakRef(object) });
    };
  }

  /** Looks for functions that closed clients would still call: the clients with these clocks. */
  *findListeners(clocks: ReadonlySet<unknown>): Iterable<string> {
    for (const session of this.#sessions) {
      const { onClose, onCancel, clock } = session;
      // A test that took too long goes on beside the next one.
      if (!clocks.has(clock)) continue;
      // The lanes of a client end with it.
      const most = session instanceof Session ? 1 : 0;
      if (onClose.size > most) {
        yield `7: a client that is closed tells ${onClose.size} others of it`;
      }
      if (onCancel.size > 0) yield `7: a closed client tells ${onCancel.size} others of cancels`;
    }
    this.#sessions.clear();
  }

  /** Keeps what a caller has of a closed client until the next check. */
  keep(closed: Kept): void {
    this.#kept.push(closed);
    this.#noted.push({ what: "client", program: this.#program, ref: new WeakRef(closed.client!) });
    onObject = undefined;
  }

  /** Looks what is left of the closed clients, and then of those that their callers dropped, too. */
  async findLeftovers(): Promise<Leftover<P>[]> {
    const inner = this.#noted.filter(({ what }) => what !== "client");
    const clients = this.#noted.filter(({ what }) => what === "client");
    const found = await findReachable(inner, "the client");
    for (const it of this.#kept) delete it.client;
    found.push(...await findReachable(clients, "a signal, or from nowhere"));
    this.#noted = [];
    this.#kept = [];
    return found;
  }
}

/** How often to collect garbage before an object counts as reachable. */
const ATTEMPTS = 6;

async function findReachable<P>(noted: readonly Noted<P>[], from: string): Promise<Leftover<P>[]> {
  let left = noted;
  // A compiler in the background may hold objects until it is done, which takes long on a busy machine.
  for (let attempt = 0; attempt < ATTEMPTS && left.length > 0; attempt++) {
    await collectGarbage(attempt * 10);
    left = noted.filter(({ ref }) => ref.deref());
  }
  const found: Leftover<P>[] = [];
  for (const kind of new Set(left.map(({ what }) => what))) {
    const programs = (list: readonly Noted<P>[]) =>
      new Set(list.filter(({ what }) => what === kind).map(({ program }) => program));
    const having = programs(left);
    if (having.size <= tolerance(programs(noted).size)) continue;
    for (const program of having) {
      found.push({ program, violation: `7: a ${kind} is reachable from ${from} after close` });
    }
  }
  return found;
}

let onObject: ((what: string, object: object) => void) | undefined;
let isPatched = false;

function patchClients(): void {
  if (isPatched) return;
  isPatched = true;
  patch("call", Deadlines.prototype, ["set"], 0);
  patch("link", Link.prototype, ["send", "sendControl", "close"]);
  patch("session", Session.prototype, ["request", "attach"]);
  patch("session", HttpSession.prototype, ["request"]);
  patch("lane", Lane.prototype, ["listen", "send"]);
  patch("tracker", Tracker.prototype, ["add", "wait", "events"]);
  patch("receiver", ChannelRouter.prototype, ["attach"], 1);
  patch("receiver", SseSession.prototype, ["attach"], 1);
  patch("buffer", BoundedQueue.prototype, ["push", "next"]);
  patch("window of credits", CreditWindow.prototype, ["onEvent", "topUp"]);
  patch("stream", ChannelEventSource.prototype, ["run"]);
}

/** Notes the object of each call of a method, or the argument with an index. */
function patch<T extends object>(
  what: string,
  prototype: T,
  methods: readonly (keyof T)[],
  argument?: number,
): void {
  for (const method of methods) {
    const original = prototype[method] as (...args: unknown[]) => unknown;
    const noting = function (this: object, ...args: unknown[]): unknown {
      onObject?.(what, argument === undefined ? this : args[argument] as object);
      return original.apply(this, args);
    };
    prototype[method] = noting as T[keyof T];
  }
}

let collect: (() => void) | undefined;

async function collectGarbage(ms: number): Promise<void> {
  if (!collect) {
    const { Bun } = globalThis as { Bun?: { gc(sync: boolean): void } };
    if (Bun) collect = () => Bun.gc(true);
    else {
      const { setFlagsFromString } = await import("node:v8");
      setFlagsFromString("--expose-gc");
      const { runInNewContext } = await import("node:vm");
      collect = runInNewContext("gc");
    }
  }
  // In a task of its own: what a weak reference has returned lives until the task ends.
  await new Promise<void>((resolve) => void setTimeout(resolve, ms));
  collect!();
}

/** The options by which a client reaches its world. */
type Ties =
  & Pick<DispatchOptions, "clock" | "random" | "token" | "webSocket">
  & Pick<HttpOptions, "fetch">;

/** Options of a client that are tied to its world. */
export interface Tied<O> {
  readonly options: O;
  /** Cuts the client off. */
  release(): void;
  /** Returns how many timers of the client have neither fired nor been cleared. */
  timers(): number;
}

/** Options of a client that work until they are released, and then hold nothing of its world. */
export function tie<O extends Ties>(options: O): Tied<O> {
  let ties: Ties | undefined = options;
  let timers: Map<unknown, unknown> | undefined = new Map();
  let nextTimer = 1;
  const { clock: _clock, random: _random, token, webSocket, fetch, ...rest } = options;
  const tied = {
    ...rest,
    token: typeof token === "string" ? token : () => (ties!.token as () => string)(),
    clock: {
      now: () => ties!.clock!.now(),
      monotonic: () => ties!.clock!.monotonic!(),
      setTimeout(callback: () => void, ms: number) {
        // The client may keep this after the timer has fired, so it is only a number.
        const timer = nextTimer++;
        const onTime = () => {
          timers!.delete(timer);
          callback();
        };
        timers!.set(timer, ties!.clock!.setTimeout(onTime, ms));
        return timer;
      },
      clearTimeout(timer: unknown) {
        ties!.clock!.clearTimeout(timers!.get(timer));
        timers!.delete(timer);
      },
    },
    random: () => ties!.random!(),
    ...(webSocket && { webSocket: (url: string) => ties!.webSocket!(url) }),
    ...(fetch &&
      { fetch: (...args: Parameters<typeof globalThis.fetch>) => ties!.fetch!(...args) }),
  };
  return {
    options: tied as unknown as O,
    release: () => ties = timers = undefined,
    timers: () => timers!.size,
  };
}
