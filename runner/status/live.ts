import type { Clock, TimerHandle } from "../../runtime/clock.ts";
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
  /** Whether the visitor still sees what is drawn. If not, the page is loaded anew. */
  maySee(): boolean;
  /** Called when it ends, however that happens. */
  onEnd(): void;
}

/** The time between two looks at what has changed, in milliseconds. */
const INTERVAL = 1_000;

/** The time after which a comment keeps a silent connection open, in milliseconds. */
const KEEP_ALIVE = 15_000;

/** How many bytes a slow reader may leave unread before it is cut off. */
const MOST_UNREAD = 4 << 20;

/** A stream of server-sent events with the parts of a page that change. */
export function liveParts(
  { source, clock, draw, maySee, onEnd }: LiveOptions,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const changed = new Set<string>();
  let timer: TimerHandle;
  let silent = 0;
  let unlisten = () => {};
  const end = () => {
    clock.clearTimeout(timer);
    unlisten();
    onEnd();
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      unlisten = source.listen((id) => void changed.add(id));
      const send = (text: string) => {
        silent = 0;
        controller.enqueue(encoder.encode(text));
      };
      const look = () => {
        // It reconnects, and then has the whole page.
        if (-(controller.desiredSize ?? 0) > MOST_UNREAD) {
          end();
          return controller.close();
        }
        if (!maySee()) {
          send("event: reload\ndata: {}\n\n");
          end();
          return controller.close();
        }
        for (const part of changed.size > 0 ? draw(changed) : []) {
          send(`event: part\ndata: ${JSON.stringify(part)}\n\n`);
        }
        changed.clear();
        silent += INTERVAL;
        if (silent >= KEEP_ALIVE) send(": still here\n\n");
        timer = clock.setTimeout(look, INTERVAL);
      };
      send("retry: 3000\n\n");
      timer = clock.setTimeout(look, INTERVAL);
    },
    cancel: end,
  }, { highWaterMark: 0, size: (chunk) => chunk!.byteLength });
}
