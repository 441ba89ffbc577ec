import { type Clock, monotonicNow, type TimerHandle } from "../../runtime/clock.ts";
import type { StatusSource } from "./status_source.ts";

/** A part of a page that has changed. */
export interface Part {
  /** The element's `id`. */
  id: string;
  /** The element. */
  html: string;
}

/** Settings of {@linkcode liveParts}. */
export interface LiveOptions {
  /** What changes. */
  source: StatusSource;
  /** The clock. */
  clock: Clock;
  /** Draws what has changed, by the `id`s of checks. */
  draw(changed: ReadonlySet<string>): Part[];
  /** Whether the page is loaded anew after a check has come or gone. */
  mustReload(): boolean;
  /** Whether the visitor still sees what is drawn. If not, the page is loaded anew. */
  maySee(): boolean;
  /** Called when it ends, however that happens. */
  onEnd(): void;
}

/** The time between two looks at what has changed, in milliseconds. */
const INTERVAL = 1_000;

/** The time after which a comment keeps a silent connection open, in milliseconds. */
const KEEP_ALIVE = 15_000;

/** How many bytes a slow reader may leave unread; what changes meanwhile is drawn once it goes on. */
const MOST_UNREAD = 64 << 10;

/** The time after which a reader that does not go on is cut off, in milliseconds. */
const LONGEST_STALL = 60_000;

/** Computes something that all live pages share, at most once between two looks. */
export function sharedByPages<T>(clock: Clock, compute: () => T): () => T {
  let last: { at: number; value: T } | undefined;
  return () => {
    const at = monotonicNow(clock);
    if (!last || at - last.at >= INTERVAL) last = { at, value: compute() };
    return last.value;
  };
}

/** A stream of server-sent events with the parts of a page that change. */
export function liveParts(
  { source, clock, draw, mustReload, maySee, onEnd }: LiveOptions,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const changed = new Set<string>();
  let timer: TimerHandle;
  let [silent, stalled] = [0, 0];
  let hasOthers = false;
  let unlisten = () => {};
  const end = () => {
    clock.clearTimeout(timer);
    unlisten();
    onEnd();
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      unlisten = source.listen((id) => {
        if (id === undefined) hasOthers = true;
        else changed.add(id);
      });
      const send = (text: string) => {
        silent = 0;
        controller.enqueue(encoder.encode(text));
      };
      const close = () => {
        end();
        controller.close();
      };
      const look = () => {
        const isStalled = -(controller.desiredSize ?? 0) > MOST_UNREAD;
        stalled = isStalled ? stalled + INTERVAL : 0;
        // It reconnects, and then has the whole page.
        if (stalled >= LONGEST_STALL) return close();
        if (!maySee() || (hasOthers && mustReload())) {
          send("event: reload\ndata: {}\n\n");
          return close();
        }
        hasOthers = false;
        if (!isStalled) {
          for (const part of changed.size > 0 ? draw(changed) : []) {
            send(`event: part\ndata: ${JSON.stringify(part)}\n\n`);
          }
          changed.clear();
          silent += INTERVAL;
          if (silent >= KEEP_ALIVE) send(": still here\n\n");
        }
        timer = clock.setTimeout(look, INTERVAL);
      };
      send("retry: 3000\n\n");
      timer = clock.setTimeout(look, INTERVAL);
    },
    cancel: end,
  }, { highWaterMark: 0, size: (chunk) => chunk!.byteLength });
}
