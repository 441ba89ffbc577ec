import { type RunTracker, trackRun } from "../../client/follow/trackers.ts";
import type { Gap } from "../../client/gap.ts";
import type { RunEvent } from "../../protocol/event.ts";
import { FakeTransport } from "./fake_transport.ts";
import { RUN_ID, runRecord } from "./records.ts";

/** The times of events, a second apart. */
export const at = (second: number, ms: number = 0): string =>
  new Date(Date.UTC(2026, 0, 1, 0, 0, second, ms)).toISOString();

/** Creates an event of the run. */
export function runEvent(type: string, second: number, more: object = {}): RunEvent {
  const data = { run_id: RUN_ID, name: "noop", ...more };
  return {
    type: `workflow.${type}`,
    ts: at(second),
    topic: `workflow:${RUN_ID}`,
    data,
  } as unknown as RunEvent;
}

/** Creates the event of a completed step. */
export const step = (step_name: string, second: number): RunEvent =>
  runEvent("step_completed", second, { step_name, elapsed_ms: 5 });

/** Creates a timeline with a checkpoint a second. */
export const timeline = (...names: string[]): object[] =>
  names.map((step_name, i) => ({ step_name, created_at: at(i + 1) }));

/** Creates the gap of a lost connection. */
export const reconnectGap = (second: number): Gap => ({
  type: "gap",
  reason: "reconnect",
  since: at(second),
  until: at(second),
});

/** Names items without their common prefix. */
export const names = (items: readonly (RunEvent | Gap)[]): string[] =>
  items.map((item) => {
    if (item.type === "gap") return item.reason;
    const type = item.type.replace("workflow.", "");
    return "step_name" in item.data ? `${type} ${item.data.step_name}` : type;
  });

/** A tracker of a run on a transport without a server. */
export class Followed {
  readonly transport: FakeTransport = new FakeTransport();
  readonly tracker: RunTracker;
  /** How often the tracker said that the run has ended. */
  ends = 0;

  constructor(fed?: boolean) {
    this.tracker = trackRun(this.transport, RUN_ID, fed, () => this.ends++);
  }

  /** Waits for the run, and keeps the outcome. */
  wait(signal: AbortSignal = new AbortController().signal): Outcome {
    return new Outcome(this.tracker.wait(signal));
  }

  /** Confirms the last subscription. */
  confirm(): Promise<void> {
    return this.transport.attachments.at(-1)!.confirm();
  }

  /** Sends an event to the receiver. */
  publish(event: RunEvent): void {
    this.transport.attached.at(-1)!.receiver.onEvent(event);
  }

  /** Tells the receiver that the connection was lost and is back. */
  reconnect(second: number): void {
    this.transport.attached.at(-1)!.receiver.onGap(reconnectGap(second));
  }

  /** Answers the request for the record. */
  record(state: string, more: Record<string, unknown> = {}): Promise<void> {
    return this.transport.answer("workflow.get", runRecord(state, { started_at: at(0), ...more }));
  }

  /** Answers the request for the timeline. */
  timeline(...names: string[]): Promise<void> {
    return this.transport.answer("workflow.timeline", timeline(...names));
  }
}

/** The state of a promise: pending, or how it has settled. */
export class Outcome {
  value: unknown;
  error: unknown;
  isSettled = false;

  constructor(promise: Promise<unknown>) {
    promise.then(
      (value) => {
        this.value = value;
        this.isSettled = true;
      },
      (error) => {
        this.error = error;
        this.isSettled = true;
      },
    );
  }
}
