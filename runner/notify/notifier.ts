import { type Clock, monotonicNow, pause } from "../../runtime/clock.ts";
import type { Notice, Waiting } from "../health/model.ts";
import { LONGEST_PAUSE, type Next, type Settled } from "../health/outbox.ts";
import { noticeText } from "./message.ts";
import { attempt, post, send, type SendOptions } from "./send.ts";
import type { Message, Problem, Target } from "./target.ts";

/** Keeps the notices that wait for targets. */
export interface Outbox {
  /** Returns the targets that notices wait for. */
  waitingTargets(): string[];
  /** Takes the oldest notice for a target. */
  next(target: string): Next;
  /** Removes a notice, or lets it wait. */
  settle(waiting: Waiting, how: Settled): void;
}

/** What became of an attempt to tell a target. */
export interface Delivery {
  /** The target's name. */
  target: string;
  /** The notice. */
  notice: Notice;
  /** What became of it: the target knows, is told later, or never. */
  outcome: "delivered" | "later" | "dropped";
  /** Why it was not delivered. */
  problem?: string;
  /** The time until the next attempt, in milliseconds. */
  pause?: number;
}

/** Settings of a {@linkcode Notifier}. */
export interface NotifierOptions extends SendOptions {
  /** The targets by their names. */
  targets(): ReadonlyMap<string, Target>;
  /** The notices. */
  outbox: Outbox;
  /** The address of a check's page, if there is one. */
  link?(check: string): string;
  /** Returns the notices about the alerts that are raised now, of which a target was told. */
  raised?(target: string): Notice[];
  /** Called after each attempt. */
  onDelivery(delivery: Delivery): void;
}

/**
 * How often a notice is tried, with pauses of up to five minutes: for about a day of attempts, whatever
 * clocks say.
 */
const MOST_ATTEMPTS = 300;

/** The time between two looks for notices that another process has left, in milliseconds. */
const LOOK_INTERVAL = 5_000;

/** How old notices get that wait for a target which was given up, in milliseconds. */
const OLDEST = 86_400_000;

/** The time after which alerts are told again to targets that forget them, in milliseconds. */
const REPEAT_INTERVAL = 60_000;

/**
 * Tells targets of notices: one after another to each target, until it knows them. A target that is down
 * is told later, in order. A target that hangs holds up no other.
 */
export class Notifier {
  #options: NotifierOptions;
  #clock: Clock;
  #busy = new Map<string, Promise<void>>();
  /** When alerts were last told again to a target, by the monotonic clock. */
  #repeated = new Map<string, number>();
  /** When a target that is not known here was last looked for, by the monotonic clock. */
  #missed = new Map<string, number>();
  /** The targets that were given up, until they work again. */
  #givenUp = new Set<string>();

  /** Creates a notifier; {@linkcode run} starts it. */
  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  /** Sends what waits now. Call it after each notice. */
  wake(): void {
    for (
      const target of new Set([...this.#options.outbox.waitingTargets(), ...this.#forgetful()])
    ) {
      if (this.#busy.has(target) || this.#options.signal.aborted) continue;
      if (!this.#isKnown(target) && !this.#mayLookFor(target)) continue;
      const work = this.#sendAll(target).finally(() => this.#busy.delete(target));
      this.#busy.set(target, work);
    }
  }

  /** Looks for notices from time to time, until the signal is aborted. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      this.wake();
      await pause(LOOK_INTERVAL, { signal, clock: this.#clock });
    }
    await this.idle();
  }

  /** Resolves when nothing is being sent. */
  async idle(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  /** Sends the notices for a target until none is due. */
  async #sendAll(target: string): Promise<void> {
    const { outbox, signal } = this.#options;
    while (!signal.aborted) {
      const next = outbox.next(target);
      if (!next) {
        // What has come meanwhile is told after that.
        if (!await this.#repeat(target)) return;
      } else if ("send" in next) {
        await this.#sendOne(next.send);
        if (!this.#isKnown(target)) return;
      } else {
        const ms = Math.max(100, next.at - this.#clock.now());
        await pause(ms, { signal, clock: this.#clock });
      }
    }
  }

  #isKnown(target: string): boolean {
    return this.#options.targets().has(target);
  }

  /**
   * Whether a target that is not known is looked for again. Another process that uses the same history
   * may know it, and must not be held up.
   */
  #mayLookFor(target: string): boolean {
    const [now, last = -Infinity] = [monotonicNow(this.#clock), this.#missed.get(target)];
    if (now - last < LONGEST_PAUSE) return false;
    this.#missed.set(target, now);
    return true;
  }

  /** The targets to which alerts are due to be told again. */
  #forgetful(): string[] {
    const { targets, raised } = this.#options;
    return raised ? [...targets().keys()].filter((name) => this.#isDue(name)) : [];
  }

  #isDue(name: string): boolean {
    const target = this.#options.targets().get(name);
    if (!target || !("repeat" in target)) return false;
    const last = this.#repeated.get(name);
    return last === undefined || monotonicNow(this.#clock) - last >= REPEAT_INTERVAL;
  }

  /**
   * Tells a target again of all alerts that are raised, if that is due; returns whether it was. Nothing
   * comes of a failure: it is done again soon. Between two notices, so that no alert is raised again that
   * is over.
   */
  async #repeat(name: string): Promise<boolean> {
    if (!this.#options.raised || !this.#isDue(name)) return false;
    this.#repeated.set(name, monotonicNow(this.#clock));
    const target = this.#options.targets().get(name) as Extract<Target, { request: unknown }>;
    const messages = this.#options.raised(name).map((notice) => this.#messageOf(notice));
    if (messages.length > 0) {
      const request = target.repeat!(messages);
      await attempt((signal) => post(request, this.#options.fetch, signal), this.#options);
    }
    return true;
  }

  #messageOf(notice: Notice): Message {
    const page = this.#options.link?.(notice.check.id);
    return { notice, text: noticeText(notice), ...(page === undefined ? {} : { link: page }) };
  }

  async #sendOne(waiting: Waiting): Promise<void> {
    const { targets, outbox, signal, onDelivery } = this.#options;
    const { target: name, notice, attempts } = waiting;
    const target = targets().get(name);
    const problem: Problem | undefined = target
      ? await send(target, this.#messageOf(notice), this.#options)
      : { text: `there is no target \`${name}\` here`, final: false };
    const now = this.#clock.now();
    // An attempt that this process has ended is no failure: the next process begins with it.
    if (problem && signal.aborted) return outbox.settle(waiting, { again: now });
    const told = { target: name, notice };
    if (!problem) {
      this.#givenUp.delete(name);
      outbox.settle(waiting, "done");
      return onDelivery({ ...told, outcome: "delivered" });
    }
    const isLast = attempts + 1 >= MOST_ATTEMPTS;
    if (isLast) this.#givenUp.add(name);
    // Those that have waited behind it for as long do not wait for another day each.
    const isOld = this.#givenUp.has(name) && notice.at < now - OLDEST;
    if (problem.final || isLast || isOld) {
      outbox.settle(waiting, "done");
      return onDelivery({ ...told, outcome: "dropped", problem: problem.text });
    }
    const usual = Math.min(Math.max(1_000 * 2 ** attempts, problem.wait ?? 0), LONGEST_PAUSE);
    outbox.settle(waiting, { again: target ? now + usual : now });
    const pause = target ? usual : LONGEST_PAUSE;
    onDelivery({ ...told, outcome: "later", problem: problem.text, pause });
  }
}
