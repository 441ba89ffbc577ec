import assert from "node:assert/strict";
import { Deadlines } from "../../client/connection/deadlines.ts";
import type {
  Attachment,
  EventTransport,
  Receiver,
  Request,
} from "../../client/connection/transport.ts";
import { ConnectionError } from "../../client/errors.ts";
import { abortable } from "../../runtime/abortable.ts";
import { breathe } from "./eventually.ts";
import { FakeClock } from "./fake_clock.ts";

/** A request that has no answer yet. */
interface Pending extends PromiseWithResolvers<unknown> {
  request: Request;
}

/** A receiver of a channel, for the test to send events to. */
export interface FakeAttachment {
  channel: string;
  receiver: Receiver;
  isDetached: boolean;
  /** Confirms the subscription. */
  confirm(): Promise<void>;
  /** Refuses the subscription. */
  refuse(error: Error): Promise<void>;
}

/** A transport without a server: the test answers each request and sends each event. */
export class FakeTransport implements EventTransport {
  readonly clock: FakeClock = new FakeClock();
  readonly deadlines: Deadlines = new Deadlines(this.clock);
  readonly onClose: Set<(error: Error) => void> = new Set();
  readonly onCancel: Set<(jobId: string) => unknown> = new Set();
  closedWith: Error | undefined;
  readonly attachments: FakeAttachment[] = [];
  readonly anomalies: Error[] = [];
  /** Thrown by `detach()`. */
  detachError: Error | undefined;
  readonly #pending = new Set<Pending>();

  /** The requests without an answer: their methods and data. */
  get asked(): string[] {
    return [...this.#pending].map(({ request: { method, data } }) => `${method} ${data}`);
  }

  /** The receivers that are attached. */
  get attached(): FakeAttachment[] {
    return this.attachments.filter(({ isDetached }) => !isDetached);
  }

  request(request: Request): Promise<unknown> {
    const pending: Pending = { request, ...Promise.withResolvers<unknown>() };
    this.#pending.add(pending);
    return abortable(pending.promise, request.signal).finally(() => this.#pending.delete(pending));
  }

  /** Answers the only request there is, which must be for this method. */
  async answer(method: string, data: unknown): Promise<void> {
    await breathe(1);
    this.#only(method).resolve(data);
    await breathe(1);
  }

  /** Fails the only request there is, which must be for this method. */
  async refuse(method: string, error: Error): Promise<void> {
    await breathe(1);
    this.#only(method).reject(error);
    await breathe(1);
  }

  deadline(timeout: number = 30_000): number {
    return timeout ? this.clock.monotonic() + timeout : Infinity;
  }

  reportAnomaly(cause: Error): void {
    this.anomalies.push(cause);
  }

  attach(channel: string, receiver: Receiver): Attachment {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {});
    const attachment: FakeAttachment = {
      channel,
      receiver,
      isDetached: false,
      confirm: () => (resolve(), breathe(1)),
      refuse: (error) => (reject(error), breathe(1)),
    };
    this.attachments.push(attachment);
    const detach = async () => {
      assert(!attachment.isDetached, "detached twice");
      attachment.isDetached = true;
      if (this.detachError) throw await Promise.resolve(this.detachError);
    };
    return { ready: promise, detach };
  }

  /** Closes the transport for good, or until `reopen`. */
  async close(code: "closed" | "gave_up" = "closed"): Promise<void> {
    const text = code === "closed" ? "the client is closed" : "no attempt succeeded";
    const error = this.closedWith = new ConnectionError(text, code);
    for (const listener of [...this.onClose]) listener(error);
    await breathe(1);
  }

  /** Makes the transport usable again. */
  reopen(): void {
    this.closedWith = undefined;
  }

  /** Moves the clock, and lets what waited for it go on. */
  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await breathe(1);
  }

  /** Asserts that nothing was left behind: no receiver, request, timer or listener. */
  assertIdle(): void {
    assert.deepEqual(this.attached, []);
    assert.deepEqual(this.asked, []);
    assert.deepEqual(this.clock.due, []);
    assert.equal(this.onClose.size + this.onCancel.size, 0);
  }

  #only(method: string): Pending {
    const [pending, ...more] = this.#pending;
    assert.equal(pending?.request.method, method);
    assert.deepEqual(more, []);
    return pending!;
  }
}
