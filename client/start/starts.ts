import { tooLate } from "../connection/connection_errors.ts";
import { hooked } from "../_hooked.ts";
import { limited } from "../connection/with_deadline.ts";
import { part } from "../_load.ts";
import type { Lanes } from "./lanes.ts";
import type { CallOptions } from "../options.ts";
import type { Session } from "../session.ts";

/** A run that a start brought about. */
export interface Started {
  run_id: string;
  name: string;
  state: string;
}

/** A `workflow.start` on its way. */
export interface StartRequest {
  /** Names it in an error. */
  what: string;
  /** Aborted with what ends it early. */
  signal: AbortSignal;
  /** Whether it may have been carried out. */
  isSent: boolean;
}

/** Starts workflows; what does so is loaded with the first start. */
export class Starts {
  readonly #session: Session;
  #lanes: Lanes | undefined;
  #inFlight = 0;

  constructor(session: Session) {
    this.#session = session;
    session.onOver.add((error) => this.#lanes?.close(error));
  }

  /** How many starts wait for their run to be known. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Where starts are made, once there was one. */
  get lanes(): Lanes | undefined {
    return this.#lanes;
  }

  /** Starts something when there is a connection, before its deadline has passed. */
  async run<T>(
    what: string,
    subject: string | undefined,
    { signal, timeout }: CallOptions = {},
    start: (lanes: Lanes, request: StartRequest) => Promise<T>,
  ): Promise<T> {
    const session = this.#session;
    const at = session.deadline(timeout);
    let request: StartRequest | undefined;
    const late = () =>
      tooLate(
        what,
        "no sign of the run before the deadline",
        request?.isSent ? "unknown" : "not-sent",
      );
    const work = async (limit: AbortSignal) => {
      await session.ready(what, at, signal);
      if (!this.#lanes) {
        const { Lanes } = await part(what, import("./lanes.ts"), limit);
        this.#lanes ??= new Lanes(session);
      }
      return await start(this.#lanes, request = { what, signal: limit, isSent: false });
    };
    this.#inFlight++;
    try {
      return await hooked(
        session.hooks,
        { method: "workflow.start", subject },
        () => limited(session, { what, at, late, signal }, work),
      );
    } finally {
      this.#inFlight--;
    }
  }
}
