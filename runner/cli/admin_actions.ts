import type { DispatchAdmin } from "../../client/http/dispatch_admin.ts";

/** The filters of a list, as the command line has them. The client checks them. */
export interface ListFilter {
  state?: string;
  queue?: string;
  limit?: number;
  offset?: number;
}

/** What limits a call: the user's interruption and `--timeout`. */
export interface CallLimits {
  signal: AbortSignal;
  timeout?: number;
}

/** An action of `admin`. */
export interface AdminAction {
  /** One line of help. */
  description: string;
  /** Whether it takes an id. */
  takesId?: boolean;
  /** The filters of a list; `undefined` if it is none. */
  filters?: readonly string[];
  /** Whether it changes something on the server. */
  writes?: boolean;
  /** What people should know after it. */
  note?: string;
  /** Does it, and resolves with its result: an array for a list. */
  call(admin: DispatchAdmin, limits: CallLimits, id: string, filter: ListFilter): Promise<unknown>;
}

/** The filters that all lists have. */
const PAGE = ["limit", "offset"];
const NEXT_POLL =
  "The job runs at the next poll of the workers: up to 30 s later on an idle server.";

/** The actions by their names. */
export const ADMIN_ACTIONS: Readonly<Record<string, AdminAction>> = {
  "stats": {
    description: "Count jobs and runs by state, and dead letters.",
    call: (admin, limits) => admin.stats(limits),
  },
  "counts": {
    description: "Count jobs by state.",
    call: (admin, limits) => admin.counts(limits),
  },
  "workflows": {
    description: "List the names of the workflows.",
    filters: [],
    call: (admin, limits) => admin.workflows(limits),
  },
  "job": {
    description: "Show a job.",
    takesId: true,
    call: (admin, limits, id) => admin.job(id, limits),
  },
  "run": {
    description: "Show a workflow run.",
    takesId: true,
    call: (admin, limits, id) => admin.run(id, limits),
  },
  "cancel": {
    writes: true,
    description: "Cancel a job that is pending or retrying.",
    takesId: true,
    async call(admin, limits, id) {
      await admin.cancelJob(id, limits);
      return { id, cancelled: true };
    },
  },
  "retry": {
    writes: true,
    description: "Queue a failed job again; its dead letter stays.",
    takesId: true,
    note: NEXT_POLL,
    async call(admin, limits, id) {
      await admin.retryJob(id, limits);
      return { id, retried: true };
    },
  },
  "dead-letters count": {
    description: "Count dead letters, replayed ones too.",
    call: async (admin, limits) => ({ count: await admin.deadLetters.count(limits) }),
  },
  "dead-letters get": {
    description: "Show a dead letter.",
    takesId: true,
    call: (admin, limits, id) => admin.deadLetters.get(id, limits),
  },
  "dead-letters replay": {
    writes: true,
    description: "Enqueue its job as a new one, without timeout.",
    takesId: true,
    note: NEXT_POLL,
    call: (admin, limits, id) => admin.deadLetters.replay(id, limits),
  },
  "dead-letters replay-all": {
    writes: true,
    description: "Replay those that were not replayed yet.",
    note: "The server looks at its 1,000 oldest dead letters only: newer ones may be left.",
    call: (admin, limits) => admin.deadLetters.replayAll(limits),
  },
  "dead-letters purge": {
    writes: true,
    description: "Delete those that failed over 30 days ago.",
    call: async (admin, limits) => ({ purged: await admin.deadLetters.purge(limits) }),
  },
  "crons get": {
    description: "Show a cron entry.",
    takesId: true,
    call: (admin, limits, id) => admin.crons.get(id, limits),
  },
  "crons enable": {
    writes: true,
    description: "Let a cron entry fire again.",
    takesId: true,
    call: (admin, limits, id) => admin.crons.enable(id, limits),
  },
  "crons disable": {
    writes: true,
    description: "Pause a cron entry.",
    takesId: true,
    note: "On a server with a database the pause may not hold: look again after 30 s.",
    call: (admin, limits, id) => admin.crons.disable(id, limits),
  },
  "crons delete": {
    writes: true,
    description: "Delete a cron entry.",
    takesId: true,
    note: "It comes back when the program around the server starts again.",
    async call(admin, limits, id) {
      await admin.crons.delete(id, limits);
      return { id, deleted: true };
    },
  },
  "jobs": {
    description: "List jobs. *",
    filters: ["state", "queue", ...PAGE],
    call: (admin, limits, _, filter) =>
      admin.jobs({ ...filter as { state: "failed"; queue: string }, ...limits }),
  },
  "runs": {
    description: "List workflow runs. *",
    filters: ["state", ...PAGE],
    call: (admin, limits, _, filter) => admin.runs({ ...filter as { state: "failed" }, ...limits }),
  },
  "dead-letters list": {
    description: "List dead letters. *",
    filters: ["queue", ...PAGE],
    call: (admin, limits, _, filter) =>
      admin.deadLetters.list({ ...filter as { queue: string }, ...limits }),
  },
  "crons list": {
    description: "List cron entries. *",
    filters: PAGE,
    call: (admin, limits, _, filter) => admin.crons.list({ ...filter, ...limits }),
  },
};

/** Shorter names of some actions. */
export const ADMIN_ALIASES: Readonly<Record<string, string>> = {
  "replay": "dead-letters replay",
  "replay-all": "dead-letters replay-all",
  "purge": "dead-letters purge",
};
