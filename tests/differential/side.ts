import { decodeBase64 } from "../../protocol/base64.ts";
import { isRecord } from "../../protocol/mod.ts";
import { Connection, type RawFrame } from "../conformance/connection.ts";
import { realTime } from "../conformance/replay_time.ts";
import { type Message, type Values, withValues } from "./sequence.ts";

/** How long to wait for an answer, in milliseconds. */
export const TIMEOUT_MS = 5_000;
/**
 * How long to wait, in milliseconds, before enqueueing a job that wakes the workers: they rarely look
 * for jobs to retry by themselves.
 */
const KICK_MS = 60;
const READ_QUEUES = new Set(["default", "email", "images", "slow"]);
const KNOWN_JOBS = new Set([
  ...["send-email", "process-image", "noop", "always-fails", "flaky", "sleep"],
]);

/** What was seen of a job or run. */
interface Progress {
  name?: unknown;
  queue?: unknown;
  types: string[];
}

/** One of the two servers, with a connection that sees everything and takes no part. */
export class Side implements Values {
  readonly name: string;
  readonly url: string;
  readonly http: string;
  /** The ids of the sequence, in the order in which answers named them. */
  job: string[] = [];
  run: string[] = [];
  event: string[] = [];
  /** The ids of what the harness itself made, and of earlier sequences. */
  readonly noise = new Set<string>();
  /** How many connections received events before the sequence. */
  subscribersBefore = 0;
  #control: Connection | undefined;
  #progress = new Map<string, Progress>();
  #waiting = new Set<string>();
  #settledRuns = 0;
  #keys = 0;
  #execution = 0;
  #calls = 0;

  /** @param url The address of the WebSocket. */
  constructor(name: string, url: string) {
    this.name = name;
    this.url = url;
    this.http = new URL(url.replace(/^ws/, "http")).origin;
  }

  readonly key = (): string => `key-${this.#execution}-${++this.#keys}`;

  /** Prepares for a sequence. */
  async begin(execution: number): Promise<void> {
    for (const id of [...this.job, ...this.run]) this.noise.add(id);
    this.job = [];
    this.run = [];
    this.event = [];
    this.#progress.clear();
    this.#waiting.clear();
    this.#settledRuns = this.#keys = 0;
    this.#execution = execution;
    if (!this.#control?.isOpen) {
      this.#control = await Connection.open(this.url, realTime);
      await this.call("auth", { token: "demo-token" });
      await this.call("subscribe", { channel: "firehose" });
    }
    this.subscribersBefore = await this.subscribers();
    this.#control.takeEvents();
    this.#control.send(JSON.stringify({ id: "c", type: "request", credits: 1000 }));
  }

  /** Replaces the marks in a message. */
  resolve(message: Message): string | Uint8Array<ArrayBuffer> {
    return "bytes" in message ? Uint8Array.from(message.bytes) : withValues(message.text, this);
  }

  /** Notes the ids that an answer names. */
  learn(answer: unknown): void {
    if (!isRecord(answer) || answer.type !== "response" || !isRecord(answer.data)) return;
    const { job_id, run_id, event_id } = answer.data;
    if (typeof job_id === "string") {
      this.job.push(job_id);
      this.#waiting.add(job_id);
    }
    if (typeof run_id === "string") this.run.push(run_id);
    if (typeof event_id === "string") this.event.push(event_id);
  }

  /** Calls a method on the connection that takes no part. */
  async call(method: string, data: unknown): Promise<RawFrame> {
    const id = `call-${++this.#calls}`;
    this.#control!.send(JSON.stringify({ id, type: "request", method, data }));
    const answer = await this.#control!.next("response", TIMEOUT_MS);
    if (answer.correl_id !== id) throw new Error(`answered ${JSON.stringify(answer)} to ${id}`);
    return answer;
  }

  /** Enqueues a job that is no part of the sequence. */
  async makeNoise(queue: string): Promise<string> {
    const { data } = await this.call("job.enqueue", { name: "noop", payload: null, queue });
    const { job_id } = data as { job_id: string };
    this.noise.add(job_id);
    return job_id;
  }

  /** How many connections receive events. */
  async subscribers(): Promise<number> {
    const { data } = await this.call("stats", {});
    return (data as { broker: { subscriber_count: number } }).broker.subscriber_count;
  }

  /**
   * Waits until nothing of the sequence is going on.
   * @returns The ids that did not end.
   */
  async settle(): Promise<string[]> {
    while (this.#settledRuns < this.run.length) {
      await this.#addChildren(this.run[this.#settledRuns++]!);
    }
    return await this.#until((id) => this.#hasEnded(id));
  }

  /**
   * Whether a job was enqueued before the sequence. One that no worker knows and that somebody has
   * left on the server begins anew again and again.
   */
  isEarlier(id: string): boolean {
    for (const frame of this.#control!.takeEvents()) this.#note(frame);
    return id.startsWith("job_") && !this.#types(id).includes("job.enqueued");
  }

  /** Waits until the last job has started. */
  async lastStarted(): Promise<void> {
    await this.#until((id) => id !== this.job.at(-1) || this.#types(id).includes("job.started"));
  }

  /** Waits until a run starts, or a promise settles; returns whether a run has started. */
  async runStarts(or: Promise<unknown>): Promise<boolean> {
    let isOver = false;
    void or.finally(() => isOver = true);
    while (!isOver) {
      for (const frame of this.#control!.takeEvents()) {
        this.#note(frame);
        if ((frame.data as RawFrame).type === "workflow.started") return true;
      }
      await realTime.pass(1);
    }
    return false;
  }

  /** Cancels what would go on for ever. */
  async end(): Promise<void> {
    for (const id of this.job) {
      if (this.#isStuck(this.#progress.get(id))) await this.call("job.cancel", { job_id: id });
    }
  }

  /** Closes the connection; the next sequence opens another. */
  close(): void {
    this.#control?.close();
    this.#control = undefined;
  }

  async #until(isDone: (id: string) => boolean): Promise<string[]> {
    const end = performance.now() + TIMEOUT_MS;
    for (;;) {
      for (const frame of this.#control!.takeEvents()) this.#note(frame);
      const left = [...this.#waiting].filter((id) => !isDone(id));
      if (left.length === 0 || performance.now() > end) return left;
      try {
        this.#note(await this.#control!.next("event", KICK_MS));
      } catch (error) {
        if (!this.#control?.isOpen) throw error;
        if (left.some((id) => this.#types(id).at(-1) === "job.retrying")) {
          await this.makeNoise("default");
        }
      }
    }
  }

  #note(frame: RawFrame): void {
    const { type, topic, data } = frame.data as Record<string, unknown>;
    const id = String(topic).replace(/^\w+:/, "");
    const progress = this.#progress.get(id) ?? { types: [] };
    this.#progress.set(id, progress);
    progress.types.push(String(type));
    if (!isRecord(data)) return;
    progress.name = data.job_name;
    progress.queue = data.queue;
  }

  #types(id: string): string[] {
    return this.#progress.get(id)?.types ?? [];
  }

  #hasEnded(id: string): boolean {
    const progress = this.#progress.get(id);
    if (!progress) return false;
    const { types, queue } = progress;
    if (id.startsWith("wfrun_")) {
      return types.includes("workflow.completed") || types.includes("workflow.failed");
    }
    if (!READ_QUEUES.has(String(queue))) return true;
    if (this.#isStuck(progress)) return types.includes("job.started");
    return types.includes("job.completed") || types.includes("job.dlq");
  }

  /** Whether no worker knows the job, so that it is begun for ever. */
  #isStuck(progress: Progress | undefined): boolean {
    return progress !== undefined && progress.name !== undefined &&
      !KNOWN_JOBS.has(String(progress.name));
  }

  /** Finds the runs that a run has started, which may go on after it. */
  async #addChildren(run: string): Promise<void> {
    const { data } = await this.call("workflow.timeline", { run_id: run });
    if (!Array.isArray(data)) return;
    for (const { step_name, data: bytes } of data as { step_name: string; data?: string }[]) {
      if (!step_name.startsWith("spawn:") || bytes === undefined) continue;
      const child = decodeBase64(bytes);
      this.run.push(child);
      this.#waiting.add(child);
    }
  }
}
