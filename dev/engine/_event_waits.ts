import { onAbort } from "../_abort.ts";
import { sameTenant } from "../wire/broker.ts";
import { type Core, NEVER } from "./server_state.ts";
import { goStringify } from "../go/encode.ts";
import { goQuote } from "../go/scan.ts";
import { Group } from "./_task_group.ts";
import { errorText } from "./handler_input.ts";
import type { Waiter } from "./memory_store.ts";
import { type EventRow, type RunRow, wireEvent } from "./store_rows.ts";
import { type Duration, parseDuration } from "../duration.ts";
import { StepError, type WorkflowEvent } from "../context.ts";
import { encodeBase64 } from "../../protocol/base64.ts";

/** A run's waits for events. */
export class EventWaits {
  readonly #core: Core;
  readonly #run: RunRow;

  constructor(core: Core, run: RunRow) {
    this.#core = core;
    this.#run = run;
  }

  /** Waits for one event of some names; notes what came, or that nothing did. */
  async one(
    key: string,
    names: readonly string[],
    timeout: Duration,
    signal: AbortSignal,
    failed: string,
    match?: (event: WorkflowEvent) => boolean,
  ): Promise<WorkflowEvent | undefined> {
    const done = this.#run.checkpoints.get(key);
    if (done) return done.value as WorkflowEvent | undefined;
    let row: EventRow | undefined;
    try {
      row = await this.#take(names, parseDuration(timeout), signal, match);
    } catch (error) {
      throw new StepError(failed + errorText(error), { cause: error });
    }
    if (this.#core.closed) return NEVER;
    const event = row && toEvent(row);
    this.#save(key, row ? encodeBase64(goStringify(wireEvent(row))) : "", event);
    return event;
  }

  /** Waits for one event of every name. */
  async all(
    names: readonly string[],
    timeout: Duration,
    signal: AbortSignal,
  ): Promise<WorkflowEvent[]> {
    const group = `waitall:${names.join(",")}`;
    const done = this.#run.checkpoints.get(group);
    if (done) return done.value as WorkflowEvent[];
    const rows: EventRow[] = [];
    const running = new Group(signal);
    await running.each(names, async (name, index, signal) => {
      const row = await this.#take([name], parseDuration(timeout), signal);
      if (this.#core.closed) return NEVER;
      if (!row) throw new StepError(`timeout waiting for event ${goQuote(name)}`);
      this.#save(`waitall:${name}`, encodeBase64(goStringify(wireEvent(row))), toEvent(row));
      rows[index] = row;
    }, () => this.#core.timers.breathe());
    const failure = await running.wait();
    if (this.#core.closed) return NEVER;
    if (failure) {
      const message = `workflow ${this.#run.name} waitall: ${errorText(failure.error)}`;
      throw new StepError(message, { cause: failure.error });
    }
    const events = rows.map(toEvent);
    this.#save(group, encodeBase64(goStringify(rows.map(wireEvent))), events);
    return events;
  }

  #save(step: string, data: string, value: unknown): void {
    const createdAt = this.#core.stamps.now();
    this.#run.checkpoints.set(step, { step, data, value, createdAt });
  }

  #take(
    names: readonly string[],
    ms: number,
    signal: AbortSignal,
    match?: (event: WorkflowEvent) => boolean,
  ): Promise<EventRow | undefined> {
    const { store, timers, quirks, random } = this.#core;
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      let forgetTimer = () => {};
      let unlisten = () => {};
      const settle = (event: EventRow | undefined) => {
        taken = true;
        forgetTimer();
        unlisten();
        resolve(event);
      };
      let taken = false;
      const waiter: Waiter = {
        owner: this.#core,
        names,
        wants: (event) =>
          (quirks["tenants-open"] || sameTenant(event, this.#run)) &&
          (!match || match(toEvent(event))),
        take: settle,
      };
      store.wait(waiter, quirks["random-event-order"] ? random : undefined);
      if (taken) return;
      unlisten = onAbort(signal, () => {
        forgetTimer();
        store.unwait(waiter);
        reject(signal.reason);
      });
      forgetTimer = timers.set(
        () => {
          store.unwait(waiter);
          settle(undefined);
        },
        ms,
        "deadline",
      );
    });
  }
}

function toEvent(row: EventRow): WorkflowEvent {
  return {
    id: row.id,
    name: row.name,
    payload: row.payload === undefined ? undefined : JSON.parse(row.payload),
    created_at: row.createdAt,
  };
}
