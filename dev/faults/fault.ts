import { isRecord } from "../../protocol/mod.ts";
/** What can go wrong, each in one sentence. */
export const FAULT_ACTIONS = {
  "drop": "the frame never arrives",
  "delay": "the frame, and those behind it, arrive later by `ms`",
  "duplicate": "the frame arrives twice",
  "reorder": "the frame arrives behind the next one, or after `ms` when none comes",
  "half-open": "nothing arrives any more in either direction, and nobody is told",
  "cut": "the connection is dropped without a close frame, and the frame with it",
  "malformed": "the frame arrives with its second half missing",
  "refuse": "the connection is refused: 503, before it opens",
  "restart": "the server restarts: connections drop, and for `ms` there is nobody",
  "expire-token": "the connection's token is refused from now on, and the connection is cut",
} as const;

/** What goes wrong. */
export type FaultAction = keyof typeof FAULT_ACTIONS;

/** Which frames, or connections, a fault is about: those that all of it fits. */
export interface FaultCondition {
  /** The nth connection since the server was first started, from 1, or the session of an id. */
  connection?: number | string;
  /** The token a connection has authenticated with. */
  token?: string;
  /** `in` is towards the server, `out` towards the client. */
  direction?: "in" | "out";
  /** A request's method; with `direction: "out"`, the method of the request that it answers. */
  method?: string;
  /** A frame's type, like `"event"`. */
  type?: string;
  /** An event's type, like `"job.completed"`. */
  event?: string;
  /** Only the nth that fits, from 1. */
  nth?: number;
  /** Only after so many frames of the connection, both directions counted. */
  after?: number;
  /** How likely it is, from 0 to 1. */
  chance?: number;
}

/** One thing that goes wrong. */
export interface Fault {
  /** When. Without it, always. */
  when?: FaultCondition;
  /** What. */
  do: FaultAction;
  /**
   * For how long, in milliseconds.
   * @default {100}
   */
  ms?: number;
  /**
   * How often at most.
   * @default {Infinity}
   */
  times?: number;
}

/** A connection, as faults see it. */
export interface FaultConnection {
  /** Its number, from 1. */
  connection: number;
  /** Its session, once it has one. */
  session_id?: string;
  /** How many frames it has seen, both directions counted. */
  frames: number;
}

/** The faults of a running server. */
export interface Faults {
  /** What chance comes from. */
  readonly seed: number;
  /** The faults there are. */
  list(): Fault[];
  /** The connections that are open. */
  connections(): FaultConnection[];
  /** Adds one; gives what takes it away. */
  add(fault: Fault): () => void;
  /** Does one at once, on every connection that fits. */
  inject(fault: Fault): Promise<void>;
  /** Takes all away. Connections that are half open stay so. */
  clear(): void;
}

/** Thrown when a fault is none. */
export class FaultError extends Error {
  /** Always `"bad_fault"`. */
  readonly code = "bad_fault";

  /** Says what is wrong with it. */
  constructor(reason: string) {
    super(`Cannot read fault: ${reason}`);
    this.name = "FaultError";
  }
}

const NUMBERS = ["nth", "after", "chance"];
const TEXTS = ["token", "direction", "method", "type", "event"];

/**
 * Reads a fault as the command line writes it: `cut:after=10`, `delay:event=job.completed,ms=500`.
 *
 * @example
 * ```ts
 * import { parseFault } from "@dispatch/sdk/dev";
 *
 * parseFault("drop:direction=out,method=job.enqueue,nth=2");
 * ```
 *
 * @throws {FaultError} When it is none.
 */
export function parseFault(text: string): Fault {
  const colon = text.indexOf(":");
  const action = colon < 0 ? text : text.slice(0, colon);
  const when: Record<string, unknown> = {};
  const fault: Record<string, unknown> = { do: action };
  for (const part of colon < 0 ? [] : text.slice(colon + 1).split(",")) {
    const equals = part.indexOf("=");
    if (equals < 1) throw new FaultError(`'${part}' in '${text}' is no 'name=value'`);
    const name = part.slice(0, equals).trim();
    const value = part.slice(equals + 1).trim();
    const number = value === "" ? NaN : Number(value);
    if (name === "ms" || name === "times") fault[name] = number;
    else if (name === "connection") when[name] = Number.isNaN(number) ? value : number;
    else when[name] = NUMBERS.includes(name) ? number : value;
  }
  if (Object.keys(when).length > 0) fault.when = when;
  return checkFault(fault);
}

/**
 * Checks that a value is a fault.
 * @throws {FaultError} When it is none.
 */
export function checkFault(value: unknown): Fault {
  if (!isRecord(value)) throw new FaultError("it is no object");
  const { do: action, when, ...rest } = value;
  if (typeof action !== "string" || !Object.hasOwn(FAULT_ACTIONS, action)) {
    throw new FaultError(
      `'${String(action)}' is nothing that can go wrong, ${
        Object.keys(FAULT_ACTIONS).join(", ")
      } are`,
    );
  }
  for (const [name, setting] of Object.entries(rest)) {
    if (name !== "ms" && name !== "times") throw new FaultError(`there is no '${name}'`);
    if (!isCount(setting)) throw new FaultError(`'${name}' is no number from 0 on`);
  }
  if (when === undefined) return value as unknown as Fault;
  if (!isRecord(when)) throw new FaultError("'when' is no object");
  for (const [name, setting] of Object.entries(when)) {
    const good = NUMBERS.includes(name)
      ? isCount(setting)
      : TEXTS.includes(name)
      ? typeof setting === "string"
      : name === "connection" && (typeof setting === "string" || isCount(setting));
    if (!good) throw new FaultError(`'when.${name}' is not known or not of its type`);
  }
  if (when.direction !== undefined && when.direction !== "in" && when.direction !== "out") {
    throw new FaultError("'when.direction' is neither 'in' nor 'out'");
  }
  return value as unknown as Fault;
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && value >= 0;
}
