import type { Clock } from "../../../runtime/clock.ts";

type Observer = import("../../../dev/mod.ts").Observer;
type InjectedFault = import("../../../dev/work_fault_options.ts").InjectedFault;

/** Something that happened on the server. */
export interface TimelineEntry {
  /** The time since the start of the run, in milliseconds. */
  at: number;
  /** What happened, in words. */
  text: string;
  /** The key of the fault, if it was one. */
  fault?: string;
}

/** What an observer of a server has seen. */
export interface ObservedServer {
  /** The callbacks for the server. */
  observer: Observer;
  /** The jobs and workflows of which one failed, as `job:charge-card`. */
  failedOwners: Set<string>;
  /** Takes note of a fault. */
  addFault(fault: InjectedFault): void;
  /** Returns what happened. */
  timeline(): TimelineEntry[];
}

const REQUESTS: Record<string, string> = {
  "job.enqueue": "the recipe enqueues",
  "job.cancel": "the recipe cancels",
  "workflow.start": "the recipe starts",
  "workflow.event": "the recipe publishes",
};

/** Observes a server. */
export function observeServer(clock: Clock): ObservedServer {
  const start = clock.now();
  // The text of a fault may still become longer.
  const entries: (TimelineEntry | InjectedFault)[] = [];
  const failedOwners = new Set<string>();
  const add = (text: string) => entries.push({ at: clock.now() - start, text });
  return {
    failedOwners,
    observer: {
      request({ method, data }) {
        const verb = REQUESTS[method];
        if (verb !== undefined) add(`${verb} ${nameIn(data)}`);
      },
      event(event) {
        const data = event.data as unknown as Record<string, unknown>;
        const { job_name, name, step_name, error } = data;
        const [, what] = event.type.split(".");
        if (event.type === "workflow.failed") failedOwners.add(`workflow:${name}`);
        if (event.type === "job.failed") failedOwners.add(`job:${job_name}`);
        const subject = job_name === undefined
          ? `workflow ${name ?? data.entry_name}${step_name === undefined ? "" : ` ${step_name}`}`
          : `job ${job_name}`;
        add(`${subject}: ${what}${error === undefined ? "" : `: ${error}`}`);
      },
    },
    addFault: (fault) => void entries.push(fault),
    timeline: () =>
      entries.map((entry) =>
        "key" in entry ? { at: entry.at, text: entry.text, fault: entry.key } : entry
      ),
  };
}

function nameIn(data: string | undefined): string {
  try {
    const { name, job_id } = JSON.parse(data ?? "{}");
    return String(name ?? job_id);
  } catch {
    // The server has refused it.
    return "something that is no request";
  }
}
