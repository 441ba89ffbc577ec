import { parseChannel } from "../../protocol/channel.ts";
import { abortable } from "../../runtime/abortable.ts";
import type { Clock } from "../../runtime/clock.ts";
import { waitAtMost } from "../events/deadline.ts";
import type { LoggedEvent } from "../events/results.ts";
import { freeNames } from "../expression/ast.ts";
import { EvaluationError } from "../expression/expression.ts";
import { expressionsOf, type Template } from "../expression/template.ts";
import type { RunnerClient } from "../steps/context.ts";
import { ChannelLog } from "./channel_log.ts";
import { tooManyEvents } from "./event_buffer.ts";

/** How long the server may take to confirm the end of a subscription, in milliseconds. */
const UNSUBSCRIBE_TIMEOUT = 1000;

/** The channel whose events include those of one job, queue or workflow. */
const WIDER: Record<string, string | undefined> = {
  job: "jobs",
  queue: "jobs",
  workflow: "workflows",
};

/** The names that have their values before the first step runs. */
const INITIAL_NAMES = new Set(["vars", "env", "secrets", "inputs", "matrix"]);

/** The channels that a case is subscribed to. */
export class Channels {
  #client: RunnerClient;
  #clock: Clock;
  #warn: (text: string) => void;
  #began = false;
  #logs = new Map<string, Promise<ChannelLog>>();
  #subscriptions: { unsubscribe(): Promise<void> }[] = [];

  /**
   * Creates the channels of a case, without any subscription.
   *
   * @param warn Called when events of a channel are no longer kept.
   */
  constructor(client: RunnerClient, clock: Clock, warn: (text: string) => void) {
    this.#client = client;
    this.#clock = clock;
    this.#warn = warn;
  }

  /** Subscribes to the channels that are known before the first step, for waits that come later. */
  async begin(
    channels: Iterable<string | Template>,
    resolve: (template: Template) => unknown,
    signal: AbortSignal,
  ): Promise<void> {
    const names = [...channels].map((one) =>
      typeof one === "string" ? one : knownChannel(one, resolve)
    );
    await Promise.all(
      names.map((name) => name === undefined ? undefined : this.open(name, signal)),
    );
    this.#began = true;
  }

  /** Returns the log of a channel, and subscribes to it on the first call. */
  open(channel: string, signal: AbortSignal): Promise<ChannelLog> {
    let log = this.#logs.get(channel);
    if (!log) {
      log = this.#wider(channel)?.then((wider) => wider.narrow(channel)) ??
        this.#subscribe(channel);
      this.#logs.set(channel, log);
      // After a failure the next call tries again.
      log.catch(() => this.#logs.delete(channel));
    }
    return abortable(log, signal);
  }

  /** Unsubscribes from all channels. */
  async close(): Promise<void> {
    if (this.#subscriptions.length === 0) return;
    const all = Promise.allSettled(this.#subscriptions.map((one) => one.unsubscribe()));
    await waitAtMost(UNSUBSCRIBE_TIMEOUT, all, { clock: this.#clock });
  }

  /** Returns a log that includes the events of a channel, if there is one. */
  #wider(channel: string): Promise<ChannelLog> | undefined {
    return this.#logs.get(widerChannel(channel)!) ?? this.#logs.get("firehose");
  }

  async #subscribe(channel: string): Promise<ChannelLog> {
    const pending = this.#client.subscribe(channel);
    // `close` also cancels a subscription that the server never confirms.
    this.#subscriptions.push(pending);
    const isLate = this.#began;
    const subscription = await pending;
    const log = new ChannelLog(isLate ? this.#clock.now() : undefined, () => {
      this.#warn(tooManyEvents(`channel \`${channel}\``));
    });
    void this.#read(subscription, log);
    return log;
  }

  async #read(subscription: AsyncIterable<unknown>, log: ChannelLog): Promise<void> {
    try {
      for await (const item of subscription) {
        const event = item as LoggedEvent & { reason?: string };
        if (event.type === "gap") log.addGap(`a gap in the events (${event.reason})`);
        else log.add({ type: event.type, ts: event.ts, topic: event.topic, data: event.data });
      }
    } catch (error) {
      log.fail(error);
    }
  }
}

/**
 * Returns the channel that a template names, if its value is known before the first step; otherwise
 * the wider channel that its fixed beginning belongs to, if any.
 */
function knownChannel(
  template: Template,
  resolve: (template: Template) => unknown,
): string | undefined {
  const isKnown = expressionsOf(template)
    .every(({ ast }) => freeNames(ast).every(({ name }) => INITIAL_NAMES.has(name)));
  try {
    const channel = isKnown ? resolve(template) : undefined;
    if (typeof channel === "string" && parseChannel(channel)) return channel;
  } catch (error) {
    // A step may set the variable later. If none does, the wait reports the error.
    if (!(error instanceof EvaluationError)) throw error;
  }
  const first = template.kind === "text" ? template.parts[0] : undefined;
  return typeof first === "string" ? widerChannel(first) : undefined;
}

function widerChannel(name: string): string | undefined {
  return WIDER[name.split(":", 1)[0]!];
}
