import type { WorldFaultAction } from "../../testing/mod.ts";
import type { ClientPlan, FrameKind, JOBS, Operation, WORKFLOWS } from "./program.ts";

/** What a program is mostly about. A mistake that needs several things in a row is found sooner so. */
export interface Theme {
  readonly name: string;
  /** How often the theme is chosen, beside others. */
  weight: number;
  /** How often each operation is chosen; those that are missing are not. */
  operations: Partial<Record<Operation["do"], number>>;
  /** How often something happens to the nodes, the network and the clocks, per 20 calls. */
  events: number;
  /** How often all connections are cut besides, per 20 calls. */
  cuts?: number;
  /** How often a machine sleeps for long besides, per 20 calls. */
  sleeps?: number;
  /** The frames that faults happen to. */
  faults: readonly FrameKind[];
  /** The earliest and the latest frame of its kind that a fault happens to. */
  firstFault?: number;
  lastFault: number;
  steps: number;
  clients: number;
  transports: readonly ClientPlan["transport"][];
  names?: readonly typeof WORKFLOWS[number][];
  jobs?: readonly typeof JOBS[number][];
  channels?: readonly (Operation & { do: "subscribe" })["channel"][];
  /** Whether calls begin between two turns more often. */
  isPrecise?: boolean;
  /** Whether no call waits for the one before. */
  isHasty?: boolean;
  /** Whether clients that close always drain. */
  isDrained?: boolean;
  /** Whether readers are slow and buffers small. */
  isSlow?: boolean;
  /** Whether buffers have the default size. */
  hasRoom?: boolean;
  /** Whether each run is followed as soon as it is known. */
  isWatched?: boolean;
  /** Whether jobs come in bursts. */
  hasBursts?: boolean;
  /** Whether most bursts are large. */
  hasFloods?: boolean;
  /** Whether so much time passes between calls that connections hold. */
  isSlack?: boolean;
  /** What happens to frames. */
  actions?: readonly WorldFaultAction[];
}

const ANY_FRAME = ["any", "open", "write", "answer", "event"] as const;
export const CHANNELS = [
  "jobs",
  "workflows",
  "firehose",
  "job",
  "run",
  "queue",
  "otherQueue",
] as const;

/** The themes. */
export const THEMES: readonly Theme[] = [
  // A little of everything.
  {
    name: "mixed",
    weight: 5,
    operations: {
      ...{ connect: 1, enqueue: 6, enqueueMany: 3, getJob: 1, cancel: 1, start: 6, getRun: 1 },
      ...{ timeline: 1, publish: 2, subscribe: 4, unsubscribe: 2, watch: 2, follow: 2 },
      ...{ waitJob: 3, waitRun: 3, stats: 1, close: 2 },
    },
    events: 5,
    faults: ANY_FRAME,
    lastFault: 120,
    steps: 24,
    clients: 4,
    transports: ["socket", "socket", "socket", "socket", "rpc", "sse", "admin"],
  },
  // Watches of runs whose connections are lost, with their lanes.
  {
    name: "watches that lose connections",
    weight: 2,
    operations: { start: 3, watch: 3 },
    events: 0,
    cuts: 20,
    faults: ["open"],
    lastFault: 8,
    steps: 16,
    clients: 4,
    transports: ["socket"],
    names: ["steady"],
    isHasty: true,
  },
  // Runs, their lanes, and those who follow them.
  {
    name: "runs and lanes",
    weight: 5,
    operations: { start: 8, watch: 4, waitRun: 2, publish: 1, getRun: 1, close: 1 },
    events: 3,
    faults: ["lane", "lane", "lane", "result", "event", "answer", "open"],
    lastFault: 25,
    steps: 8,
    clients: 2,
    transports: ["socket"],
    names: ["long", "long", "nap", "gate", "quick", "fan", "hour"],
  },
  // Runs that are heard of late, or by others first.
  {
    name: "runs heard of late",
    weight: 4,
    operations: { start: 8, watch: 2, waitRun: 1 },
    events: 0,
    faults: ["lane", "lane", "lane", "lane", "event"],
    firstFault: 3,
    lastFault: 16,
    steps: 10,
    clients: 1,
    transports: ["socket"],
    // The faults end with the last step.
    isSlack: true,
    names: ["brisk", "brisk", "brisk", "slow", "slow", "slow", "long"],
    isWatched: true,
    actions: ["cut", "cut", "delay", "delay", "half-open"],
  },
  // Long runs that lose their lane between two events.
  {
    name: "lanes lost between events",
    weight: 2,
    operations: { start: 2, getRun: 3 },
    events: 0,
    faults: ["lane"],
    firstFault: 3,
    lastFault: 16,
    steps: 10,
    clients: 1,
    transports: ["socket"],
    isSlack: true,
    names: ["slow"],
    isWatched: true,
    actions: ["cut"],
  },
  // Jobs, their attempts, and those who follow them.
  {
    name: "jobs",
    weight: 3,
    operations: { ...{ enqueue: 8, follow: 4, waitJob: 3, getJob: 1, cancel: 1 }, connect: 1 },
    events: 6,
    faults: ["event", "event", "answer", "any"],
    lastFault: 30,
    steps: 10,
    clients: 2,
    transports: ["socket", "socket", "socket", "sse", "rpc"],
  },
  // Jobs that nobody works on, and that are left or cancelled in the end.
  {
    name: "jobs nobody works on",
    weight: 2,
    operations: { enqueue: 4, waitJob: 4, cancel: 4, follow: 4 },
    events: 1,
    faults: ["any"],
    lastFault: 60,
    steps: 8,
    clients: 1,
    transports: ["socket", "socket", "rpc", "sse", "admin"],
    jobs: ["nobody", "nobody", "nobody", "flaky"],
    isSlack: true,
  },
  // Many events, small buffers and slow readers.
  {
    name: "small buffers",
    weight: 3,
    operations: {
      ...{ subscribe: 6, unsubscribe: 2, enqueueMany: 5, enqueue: 3, start: 1 },
      close: 1,
    },
    events: 2,
    faults: ["event", "grant", "grant", "answer", "event"],
    lastFault: 40,
    steps: 12,
    clients: 3,
    transports: ["socket", "socket", "socket", "sse"],
    channels: ["jobs", "jobs", "firehose", "queue", "otherQueue", "workflows"],
    isSlow: true,
    hasBursts: true,
  },
  // Connecting, closing and reconnecting, at the most awkward moments.
  {
    name: "connecting and closing",
    weight: 5,
    operations: {
      ...{ connect: 5, close: 3, stats: 2, getJob: 1, enqueue: 2, publish: 1, start: 2 },
      ...{ subscribe: 2, unsubscribe: 1 },
    },
    events: 8,
    sleeps: 8,
    faults: ["open", "open", "any", "write", "answer"],
    lastFault: 12,
    steps: 8,
    clients: 2,
    transports: ["socket"],
    isPrecise: true,
  },
  // Calls that wait for a connection as their client is drained.
  {
    name: "drains",
    weight: 3,
    operations: { enqueue: 4, stats: 4, close: 1 },
    events: 4,
    cuts: 60,
    faults: ["any", "answer"],
    lastFault: 12,
    steps: 16,
    clients: 1,
    transports: ["socket"],
    isHasty: true,
    isDrained: true,
  },
  // Starts after their idle lanes were lost.
  {
    name: "idle lanes lost",
    weight: 1,
    operations: { start: 6, getRun: 1 },
    events: 0,
    cuts: 40,
    faults: ["any"],
    lastFault: 40,
    steps: 12,
    clients: 1,
    transports: ["socket"],
    names: ["quick"],
    isHasty: true,
  },
  // Clients that close while their readers or their bursts are not done.
  {
    name: "closing with unread events",
    weight: 2,
    operations: { subscribe: 3, enqueueMany: 2, enqueue: 6, close: 1 },
    events: 0,
    faults: ["grant"],
    lastFault: 12,
    steps: 14,
    clients: 1,
    transports: ["socket"],
    channels: ["jobs", "firehose", "queue"],
    isHasty: true,
    isSlow: true,
    hasRoom: true,
    hasBursts: true,
  },
  // Bursts that use up the credits, or overrun the buffer of a node.
  {
    name: "floods",
    weight: 2,
    operations: { subscribe: 3, enqueueMany: 3 },
    events: 0,
    faults: ["event"],
    lastFault: 20,
    steps: 6,
    clients: 2,
    transports: ["socket"],
    channels: ["jobs", "firehose", "queue"],
    isSlack: true,
    hasRoom: true,
    hasBursts: true,
    hasFloods: true,
    actions: ["stall"],
  },
  // Clients over HTTP beside others.
  {
    name: "HTTP",
    weight: 4,
    operations: {
      ...{ enqueue: 6, getJob: 2, cancel: 1, publish: 1, subscribe: 4, unsubscribe: 1, follow: 2 },
      ...{ waitJob: 3, waitRun: 1, watch: 1, start: 1, enqueueMany: 2, close: 1 },
    },
    events: 3,
    faults: ["any", "any", "write", "answer", "answer", "stream"],
    lastFault: 40,
    steps: 12,
    clients: 3,
    transports: ["rpc", "sse", "sse", "admin", "socket"],
  },
  // Streams over HTTP that end and are opened again.
  {
    name: "streams over HTTP",
    weight: 3,
    operations: { subscribe: 2, enqueue: 8 },
    events: 1,
    faults: ["stream"],
    lastFault: 20,
    steps: 16,
    clients: 2,
    transports: ["sse"],
    channels: ["jobs", "jobs", "firehose", "queue"],
    actions: ["cut", "cut", "cut", "delay"],
    isSlack: true,
  },
];
