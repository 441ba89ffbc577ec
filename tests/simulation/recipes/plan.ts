import type { WorldFaultAction } from "../../../testing/mod.ts";

export const JOBS = ["noop", "work", "fails", "flaky", "nobody", "tells"] as const;
export const WORKFLOWS = ["quick", "nap", "gate", "broken", "tells", "hour", "missing"] as const;
export const JOB_STATES = ["completed", "failed", "running", "retrying", "cancelled"] as const;

export const CHANNELS = ["jobs", "workflows", "firehose", "queue", "job", "workflow"] as const;

/** The secrets that a recipe can have, by what is special about them. */
export const SECRETS: Readonly<Record<string, string>> = {
  plain: "kR7wQz2mXv9tLb4n",
  special: "p\"a\\s's/<w>&ö r|d`@%$+{x}=",
  lines: "-----BEGIN KEY-----\nQm9vZ2llV29vZ2ll\nVGFuZ29DaGFybGll\n-----END KEY-----",
  digits: "90210445566778",
  address: "https://adalovelace:hunter2hunter2@db.example.com:5432/x?y=1",
};

/** How the name of a checkpoint begins that ends with the second secret. */
export const SAYS = "says ";

/** Values that an expression does not have, or that text cannot contain, as a recipe sends them. */
export const LACKING = [
  "${{ vars.map.gone }}",
  "text ${{ vars.map.gone }}",
  "text ${{ vars.list[1] }}",
  "${{ vars.list[7] }}",
  "${{ vars.map.?gone }}",
] as const;

/** The state in a condition that has no value. */
export const NO_VALUE = "no value";

/** What a step does. A `pick` chooses among the jobs and runs of earlier steps. */
export type Action =
  | {
    do: "enqueue";
    name: typeof JOBS[number];
    tells: boolean;
    queue?: string;
    priority?: number;
    /** Which of the values is sent that cannot be. */
    lacks?: number;
  }
  | { do: "start"; name: typeof WORKFLOWS[number]; tells: boolean }
  | { do: "publish"; name: "go" | "stop"; tells: boolean; lacks?: number }
  /** Enqueues a job, or publishes an event, by the method of the protocol. */
  | { do: "call"; name: typeof JOBS[number]; event?: "go" | "stop"; tells: boolean }
  /** Reads a job by the method of the protocol. */
  | { do: "ask"; pick: number }
  | {
    do: "wait";
    pick: number;
    /** Whether the job or run is named by its id, so that the step's result stays as it is. */
    isById: boolean;
    until?: string[];
    /** Whether `until` is written as an expression. */
    isExpression: boolean;
    /** Another field than the state that its expression is about, which may be absent. */
    asks?: "retries" | "error" | "steps";
    /** The checkpoint that a wait for a run waits for instead. */
    untilStep?: string;
    failOn?: string;
  }
  | {
    do: "events";
    pick: number;
    /** `job` and `workflow` mean the channel of the job or run of an earlier step. */
    channel: typeof CHANNELS[number];
    /** Which events count; `own` means those of the job or run of an earlier step. */
    where?: "type" | "own" | "attempt";
    type: string;
    count?: number;
  }
  /** Without a state, any will do. */
  | { do: "get"; pick: number; wants?: string; isById: boolean }
  | { do: "cancel"; pick: number; isById: boolean }
  /** Asserts what a field of a job or run is that an earlier step has created. */
  | { do: "compare"; pick: number; of: "state" | "name" | "tag"; state: string }
  /** Asserts the states of all items of a `for_each`, or that the result of the first comes first. */
  | { do: "list"; pick: number; of: "states" | "order"; state: string }
  | {
    do: "assert";
    holds: boolean;
    tells: boolean;
    /** How many conditions and lines of an `expect` it has, and which one does not hold. */
    conditions: number;
    lines: number;
    wrong: number;
  }
  | { do: "log" }
  /** Sets the recipe's variable to the state of a job or run, or to a text with a secret. */
  | { do: "set"; pick: number; tells: boolean }
  /** Asserts that the variable is a state. */
  | { do: "recall"; state: string }
  | { do: "sleep"; ms: number }
  /** Only in virtual time, and not beside other steps; else it is a short sleep. */
  | { do: "advance"; ms: number }
  | { do: "stats" }
  | { do: "parallel"; steps: StepPlan[] }
  | {
    do: "use";
    /** The input of that name, if it is passed. */
    level?: number;
    /** Whether one of its outputs is the state of a job or run that it creates. */
    gives: boolean;
    steps: StepPlan[];
    always: StepPlan[];
  }
  /** Asserts what an output of a recipe is that an earlier step has used. */
  | { do: "output"; pick: number; of: "level" | "state" | "made"; state: string }
  /** Asserts what a field is that an earlier step has added to its result. */
  | { do: "mark"; pick: number; state: string }
  /** Throws an error of its own, in scripts. */
  | { do: "throw" };

/** A step, before its targets are chosen. Times are in milliseconds. */
export interface StepPlan {
  action: Action;
  within?: number;
  soft: boolean;
  retry?: {
    attempts: number;
    backoff: number;
    repeats: boolean;
    /** Whether only failures of the connection are retried. */
    isPicky: boolean;
  };
  /** Whether an `expect` of the step holds, if it has one, and which of several it is. */
  expects?: boolean;
  expectation: number;
  /** How many items its `for_each` has, and for how many it runs at a time. */
  items?: number;
  side: number;
  /** Whether it adds a field to its result. */
  marks: boolean;
  /** Skips the step unless the job or run of an earlier step has a state; some have no value. */
  condition?: { pick: number; state: string };
}

/** What happens to the recipe from outside, so many milliseconds after its start. */
export type Disturbance =
  | { at: number; do: "cut" | "half-open" }
  | { at: number; do: "restart"; ms: number };

/** The files of rows for `cases`, and what each has. */
export const ROWS = {
  "two.csv": [{ row: "a, b" }, { row: 'say "hi"' }],
  "three.json": [
    { name: "first", row: "x" },
    { name: "second", row: "12:30" },
    { name: "third", row: "ünï" },
  ],
  "one.yaml": [{ name: "only", row: "0012" }],
} as const satisfies Record<string, readonly { name?: string; row: string }[]>;

/** A recipe. */
export interface RecipePlan {
  /** Whether it is in TypeScript. */
  isScript: boolean;
  /** The values of its matrix, and those of its second key, if it has one. */
  matrix?: readonly string[];
  numbers?: readonly number[];
  /** The file of its `cases`. */
  rows?: keyof typeof ROWS;
  /** When its quarantine ends, in milliseconds after the world's beginning. */
  quarantine?: number;
  timeout?: number;
  steps: readonly StepPlan[];
  always: readonly StepPlan[];
}

/** Everything that a simulation of a run does. */
export interface RunPlan {
  seed: number;
  nodes: number;
  latency: readonly [number, number];
  recipes: readonly RecipePlan[];
  /** How many cases run at a time. */
  parallel: number;
  bail: boolean;
  /** How often a case that does not pass is run anew. */
  retries: number;
  failOnFlaky: boolean;
  /** A limit for the steps of each case, besides those of the recipes. */
  limit?: number;
  /** The number of a step that is not selected. */
  left?: number;
  /** Whether the runner knows that its time is virtual. All its recipes have a `timeout` then. */
  isVirtual: boolean;
  /** The variable of the environment that the recipes send; absent for their default. */
  place?: string;
  /** The names of its secrets' values. */
  secrets: readonly [string, string];
  /** Whether there is no connection, so that nothing can run. */
  isUnreachable?: boolean;
  /** When the run is interrupted. */
  interrupt?: number;
  /** The timeout of the client's calls. */
  callTimeout: number;
  faults: readonly { frame: number; do: WorldFaultAction; ms: number }[];
  /** Faults of the requests that change something, counted from 1, or of their answers. */
  writeFaults: readonly { write: number; of: "request" | "answer"; do: WorldFaultAction }[];
  disturbances: readonly Disturbance[];
}
