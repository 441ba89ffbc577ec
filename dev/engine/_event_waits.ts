import { decodeBase64, encodeBase64 } from "../../protocol/base64.ts";
import { StepError, type WorkflowEvent } from "../context.ts";
import { type Duration, parseDuration } from "../duration.ts";
import { goQuote, goStringify } from "../go/encode.ts";
import type { RunWork } from "./_run_work.ts";
import { runTaskGroup } from "./_task_group.ts";
import { errorText } from "./errors.ts";
import type { EventWaiter } from "./memory_store.ts";
import { never, type ServerState } from "./server_state.ts";
import { type EventRow, type RunRow, sameTenant } from "./store_rows.ts";
import { onAbort } from "./timers.ts";
import { wireEvent } from "./wire_format.ts";

/** A wait for one event. */
export interface EventWait {
  /** The name of its checkpoint. */
  key: string;
  /** The names of the events, any of which ends the wait. */
  names: readonly string[];
  timeout: Duration;
  /** The start of the error message if the wait fails. */
  errorPrefix: string;
  /** Returns whether to accept an event; without it any event is accepted. */
  match?: (event: WorkflowEvent) => boolean;
}

/** Waits for events on behalf of one run. */
export class EventWaits {
  readonly #server: ServerState;
  readonly #run: RunRow;
  readonly #work: RunWork;

  constructor(server: ServerState, run: RunRow, work: RunWork) {
    this.#server = server;
    this.#run = run;
    this.#work = work;
  }

  /**
   * Waits for one event; returns `undefined` if none comes in time. Either way it saves a
   * checkpoint.
   */
  async waitForOne(wait: EventWait): Promise<WorkflowEvent | undefined> {
    const saved = this.#run.checkpoints.get(wait.key);
    if (saved) return saved.value as WorkflowEvent | undefined;
    let { names } = wait;
    return await this.#work.carryOut("wait", wait.key, () => this.#waitForOne({ ...wait, names }), {
      ms: parseDuration(wait.timeout),
      expire: () => names = [],
    });
  }

  async #waitForOne(wait: EventWait): Promise<WorkflowEvent | undefined> {
    const { key, names, timeout, errorPrefix, match } = wait;
    let row: EventRow | undefined;
    try {
      row = await this.#take(names, parseDuration(timeout), this.#work.signal, match);
    } catch (error) {
      throw new StepError(errorPrefix + errorText(error), { cause: error });
    }
    if (this.#server.closed) return never();
    const event = row && toWorkflowEvent(row);
    this.#save(key, row ? encodeBase64(goStringify(wireEvent(row))) : "", event);
    return event;
  }

  /** Waits for one event of every name. */
  async waitForAll(names: readonly string[], timeout: Duration): Promise<WorkflowEvent[]> {
    const group = `waitall:${names.join(",")}`;
    const saved = this.#run.checkpoints.get(group);
    if (saved) return saved.value as WorkflowEvent[];
    let isDeaf = false;
    const wait = () => this.#waitForAll(group, names, timeout, isDeaf);
    return await this.#work.carryOut("wait", group, wait, {
      ms: parseDuration(timeout),
      expire: () => isDeaf = true,
    });
  }

  async #waitForAll(
    group: string,
    names: readonly string[],
    timeout: Duration,
    isDeaf: boolean,
  ): Promise<WorkflowEvent[]> {
    const events: WorkflowEvent[] = [];
    const texts: string[] = [];
    const options = { signal: this.#work.signal, timers: this.#server.timers };
    const failure = await runTaskGroup(names, options, async (name, index, signal) => {
      // A run that resumes has taken some of the events before.
      const saved = this.#run.checkpoints.get(`waitall:${name}`);
      if (saved) {
        events[index] = saved.value as WorkflowEvent;
        texts[index] = decodeBase64(saved.data);
        return;
      }
      const row = await this.#take(isDeaf ? [] : [name], parseDuration(timeout), signal);
      if (this.#server.closed) return never();
      if (!row) throw new StepError(`timeout waiting for event ${goQuote(name)}`);
      events[index] = toWorkflowEvent(row);
      texts[index] = goStringify(wireEvent(row));
      this.#save(`waitall:${name}`, encodeBase64(texts[index]!), events[index]);
    });
    if (this.#server.closed) return never();
    if (failure) {
      const message = `workflow ${this.#run.name} waitall: ${errorText(failure.error)}`;
      throw new StepError(message, { cause: failure.error });
    }
    this.#save(group, encodeBase64(`[${texts.join(",")}]`), events);
    return events;
  }

  #save(step: string, data: string, value: unknown): void {
    const createdAt = this.#server.timestamps.now();
    this.#run.checkpoints.set(step, { step, data, value, createdAt });
  }

  /** Takes an event out of the store, waiting for it up to `ms`. */
  #take(
    names: readonly string[],
    ms: number,
    signal: AbortSignal,
    match?: (event: WorkflowEvent) => boolean,
  ): Promise<EventRow | undefined> {
    const { store, timers, quirks, random } = this.#server;
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      let clearTimer = () => {};
      let removeListener = () => {};
      let onEnd = () => {};
      let isSettled = false;
      const settle = (event: EventRow | undefined) => {
        isSettled = true;
        onEnd();
        clearTimer();
        removeListener();
        resolve(event);
      };
      const waiter: EventWaiter = {
        owner: this.#server,
        names,
        accepts: (event) =>
          (quirks["tenants-open"] || sameTenant(event, this.#run)) &&
          (!match || match(toWorkflowEvent(event))),
        deliver: settle,
      };
      store.addWaiter(waiter, quirks["random-event-order"] ? random : undefined);
      if (isSettled) return;
      onEnd = this.#work.wait();
      removeListener = onAbort(signal, () => {
        clearTimer();
        onEnd();
        store.removeWaiter(waiter);
        reject(signal.reason);
      });
      const onTimeout = () => {
        store.removeWaiter(waiter);
        settle(undefined);
      };
      clearTimer = timers.set(onTimeout, ms, "deadline");
    });
  }
}

function toWorkflowEvent(row: EventRow): WorkflowEvent {
  return {
    id: row.id,
    name: row.name,
    payload: row.payload === undefined ? undefined : JSON.parse(row.payload),
    created_at: row.createdAt,
  };
}
