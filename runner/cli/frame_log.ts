import type { Clock } from "../../runtime/clock.ts";
import type { Mask } from "../engine/mask.ts";
import type { EventFrame, RecipeEvent } from "../events/event.ts";
import { truncate } from "../report/safe_text.ts";
import { type MakeSocket, type TappedFrame, tapSockets } from "./trace_sockets.ts";

/** How many frames are kept while the run goes on, and how many characters they have at most. */
const MAX_KEPT = 500;
const MAX_KEPT_TEXT = 4_000_000;
/** How many frames a failed step has, and how many if none was exchanged while it ran. */
const MAX_OF_STEP = 50;
const MAX_BEFORE = 10;
/** How many characters of a frame are shown. */
const MAX_LENGTH = 2_000;
/** How many characters of frames all steps together have. */
const MAX_TEXT = 2_000_000;

/** A frame as it was exchanged, with its secrets. */
interface RawFrame extends TappedFrame {
  at: number;
}

/**
 * Keeps the last frames of a run's connections, and adds them to the steps that fail. With several
 * cases at a time, these are the frames of all of them.
 */
export class FrameLog {
  #clock: Clock;
  #mask: Mask;
  #frames: RawFrame[] = [];
  #kept = 0;
  #shown = 0;
  /** When the running steps started, by case, phase and number. */
  #started = new Map<string, number>();

  /** Takes the clock of the events. */
  constructor(clock: Clock, mask: Mask) {
    this.#clock = clock;
    this.#mask = mask;
  }

  /** Wraps a socket factory: keeps what its sockets send and receive. */
  wrap(make?: MakeSocket): MakeSocket {
    return tapSockets(make, (frame) => this.#keep(frame));
  }

  /** Adds frames to the event of a step that has failed. */
  annotate(event: RecipeEvent): RecipeEvent {
    if (event.type !== "step.started" && event.type !== "step.finished") return event;
    const key = `${event.case} ${event.phase} ${event.step}`;
    if (event.type === "step.started") {
      this.#started.set(key, Date.parse(event.ts));
      return event;
    }
    const started = this.#started.get(key);
    this.#started.delete(key);
    const { kind, status } = event;
    // The step inside has them.
    const isGroup = kind === "parallel" || kind === "use";
    if (started === undefined || isGroup || (status !== "failed" && status !== "errored")) {
      return event;
    }
    const frames = this.#since(started);
    return frames.length === 0 ? event : { ...event, frames };
  }

  #keep(frame: TappedFrame): void {
    this.#frames.push({ ...frame, at: this.#clock.now() });
    this.#kept += frame.text.length;
    while (this.#frames.length > MAX_KEPT || this.#kept > MAX_KEPT_TEXT) {
      this.#kept -= this.#frames.shift()!.text.length;
    }
  }

  /** The frames since a moment; if there are none, the last ones before. */
  #since(started: number): EventFrame[] {
    const during = this.#frames.filter(({ at }) => at >= started).slice(-MAX_OF_STEP);
    const chosen = during.length > 0 ? during : this.#frames.slice(-MAX_BEFORE);
    return chosen.flatMap(({ at, socket, direction, text }) => {
      if (this.#shown > MAX_TEXT) return [];
      // Masked before it is cut: half a secret would not be found.
      const shown = truncate(this.#mask.text(text), MAX_LENGTH);
      this.#shown += shown.length;
      return [{ at: new Date(at).toISOString(), socket, direction, text: shown }];
    });
  }
}
