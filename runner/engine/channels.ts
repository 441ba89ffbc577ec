import { matchesChannel, parseChannel } from "../../protocol/channel.ts";
import type { DispatchEvent } from "../../protocol/event.ts";
import { abortable } from "../../runtime/abortable.ts";
import type { Clock } from "../../runtime/clock.ts";
import { freeNames } from "../expression/ast.ts";
import { EvaluationError } from "../expression/expression.ts";
import { expressionsOf, type Template } from "../expression/template.ts";
import type { LoggedEvent } from "../events/results.ts";
import type { EventLog, RunnerClient } from "../steps/kind.ts";
import { waitAtMost } from "../events/deadline.ts";

/** How long the server may take to confirm that it sends no more, in milliseconds. */
const UNSUBSCRIBE = 1000;

/** The channels that have the events of one of a kind among others. */
const WIDER: Record<string, string | undefined> = {
  job: "jobs",
  queue: "jobs",
  workflow: "workflows",
};

/** What has its value before the first step. */
const ROOTS = new Set(["vars", "env", "secrets", "inputs", "matrix"]);

/** The events that one case has seen on a channel. */
class Log implements EventLog {
  readonly events: LoggedEvent[] = [];
  readonly since: number | undefined;
  missed: string | undefined;
  #parts: { channel: string; log: Log }[] = [];
  #waiting = new Set<() => void>();
  #error: unknown;

  constructor(since?: number) {
    this.since = since;
  }

  add(event: LoggedEvent): void {
    this.events.push(event);
    for (const { channel, log } of this.#parts) {
      if (matchesChannel(channel, event as DispatchEvent)) log.add(event);
    }
    this.#wake();
  }

  miss(what: string): void {
    this.missed = what;
    for (const { log } of this.#parts) log.miss(what);
    this.#wake();
  }

  fail(error: unknown): void {
    this.#error = error;
    for (const { log } of this.#parts) log.fail(error);
    this.#wake();
  }

  /** The log of a channel all of whose events are among these. */
  part(channel: string): Log {
    const log = new Log(this.since);
    for (const event of this.events) {
      if (matchesChannel(channel, event as DispatchEvent)) log.add(event);
    }
    if (this.missed !== undefined) log.miss(this.missed);
    if (this.#error !== undefined) log.fail(this.#error);
    this.#parts.push({ channel, log });
    return log;
  }

  changed(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#error !== undefined) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", onAbort);
      };
      const wake = () => {
        done();
        if (this.#error === undefined) resolve();
        else reject(this.#error);
      };
      const onAbort = () => {
        done();
        reject(signal.reason);
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** The channels of one case. */
export class Channels {
  #client: RunnerClient;
  #clock: Clock;
  #began = false;
  #logs = new Map<string, Promise<Log>>();
  #subscriptions: { unsubscribe(): Promise<void> }[] = [];

  /** Subscribes through a client. */
  constructor(client: RunnerClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Subscribes to what the steps will wait for, as far as that is known before the first. */
  async begin(
    channels: Iterable<string | Template>,
    resolve: (template: Template) => unknown,
    signal: AbortSignal,
  ): Promise<void> {
    const names = [...channels].map((one) => typeof one === "string" ? one : ahead(one, resolve));
    await Promise.all(
      names.map((name) => name === undefined ? undefined : this.open(name, signal)),
    );
    this.#began = true;
  }

  /** The log of a channel, subscribed to at the first call. */
  open(channel: string, signal: AbortSignal): Promise<Log> {
    let log = this.#logs.get(channel);
    if (!log) {
      log = this.#wider(channel)?.then((wider) => wider.part(channel)) ?? this.#subscribe(channel);
      this.#logs.set(channel, log);
      // The next one asks anew.
      log.catch(() => this.#logs.delete(channel));
    }
    return abortable(log, signal);
  }

  /** Unsubscribes from all. */
  async close(): Promise<void> {
    const all = Promise.allSettled(this.#subscriptions.map((s) => s.unsubscribe()));
    await waitAtMost(UNSUBSCRIBE, all, { clock: this.#clock });
  }

  /** The log that has the events of a channel among others. */
  #wider(channel: string): Promise<Log> | undefined {
    const all = WIDER[channel.slice(0, channel.indexOf(":"))];
    return (all === undefined ? undefined : this.#logs.get(all)) ?? this.#logs.get("firehose");
  }

  async #subscribe(channel: string): Promise<Log> {
    const pending = this.#client.subscribe(channel);
    // One that is never confirmed is taken back too.
    this.#subscriptions.push(pending);
    const late = this.#began;
    const subscription = await pending;
    const log = new Log(late ? this.#clock.now() : undefined);
    void this.#read(subscription, log);
    return log;
  }

  async #read(subscription: AsyncIterable<unknown>, log: Log): Promise<void> {
    try {
      for await (const item of subscription) {
        const event = item as LoggedEvent & { reason?: string };
        if (event.type === "gap") log.miss(`a gap in the events (${event.reason})`);
        else log.add({ type: event.type, ts: event.ts, topic: event.topic, data: event.data });
      }
    } catch (error) {
      log.fail(error);
    }
  }
}

/** The channel that has the events of one which is written so, if that is known before any step. */
function ahead(
  template: Template,
  resolve: (template: Template) => unknown,
): string | undefined {
  const known = expressionsOf(template)
    .every(({ ast }) => freeNames(ast).every(({ name }) => ROOTS.has(name)));
  try {
    const channel = known ? resolve(template) : undefined;
    if (typeof channel === "string" && parseChannel(channel)) return channel;
  } catch (error) {
    // A step may give the variable another value, and the wait tells where none did.
    if (!(error instanceof EvaluationError)) throw error;
  }
  const first = template.kind === "text" ? template.parts[0] : undefined;
  return typeof first === "string" ? WIDER[first.slice(0, first.indexOf(":"))] : undefined;
}
