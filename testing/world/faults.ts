import { seededRandom } from "../../runtime/random.ts";

/** What a {@linkcode World}'s network can do to a frame or a connection. */
export const WORLD_FAULTS = {
  "cut": "the connection drops, and the frame is lost",
  "delay": "the frame, and those behind it, arrive `ms` later",
  "drop": "the frame never arrives",
  "duplicate": "the frame arrives twice",
  "half-open": "nothing arrives in either direction any more, but the connection stays open",
  "malformed": "the frame arrives without its second half",
  "refuse": "the connection is refused; like `cut` for a frame",
  "stall": "the connection takes no events from the server for `ms`, so that they fill its buffer",
} as const;

/** A kind of fault. */
export type WorldFaultAction = keyof typeof WORLD_FAULTS;

/** A fault that happens to one frame. */
export interface WorldFault {
  /** The kind of fault. */
  do: WorldFaultAction;
  /**
   * The duration of faults that have one, in milliseconds.
   * @default {100}
   */
  ms?: number;
}

/** A frame on its way through a {@linkcode World}'s network, or a connection about to open. */
export interface WorldFrame {
  /** The number of the frame in the world, from 1. Frames over HTTP are counted separately. */
  number: number;
  /** The connection: the client's name and a number, such as `client#2`. */
  connection: string;
  /** The client's name. */
  client: string;
  /** The index of the node. */
  node: number;
  /** `in` is towards the node, `out` towards the client; `open` opens the connection. */
  direction: "in" | "out" | "open";
  /** The frame; empty when a connection opens. */
  text: string;
}

/** Decides what happens to a frame; without a fault it arrives. */
export type FaultPolicy = (frame: WorldFrame) => WorldFault | undefined;

/** Settings of {@linkcode seededFaults}. */
export interface SeededFaultsOptions {
  /** The seed of the choices. */
  seed: number;
  /** The probability that something happens to a frame, from 0 to 1. */
  chance: number;
  /**
   * The kinds of faults to choose from.
   * @default {all}
   */
  actions?: readonly WorldFaultAction[];
  /**
   * The longest duration, in milliseconds.
   * @default {1000}
   */
  ms?: number;
}

/**
 * Creates a policy that chooses faults at random. The same seed repeats its choices.
 *
 * @example
 * ```ts
 * import { createWorld, seededFaults } from "@dispatch/sdk/testing";
 *
 * const networkFaults = seededFaults({ seed: 7, chance: 0.05, actions: ["cut", "delay"] });
 * await using world = await createWorld({ seed: 7, networkFaults });
 * ```
 */
export function seededFaults(options: SeededFaultsOptions): FaultPolicy {
  const { seed, chance, ms = 1_000 } = options;
  const actions = options.actions ?? Object.keys(WORLD_FAULTS) as WorldFaultAction[];
  const random = seededRandom(seed);
  return () => {
    if (random() >= chance) return undefined;
    return { do: actions[Math.floor(random() * actions.length)]!, ms: Math.floor(random() * ms) };
  };
}
