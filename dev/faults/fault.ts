import { shown } from "../../runtime/check_options.ts";
import { suggest } from "../../runtime/suggest.ts";
import { isRecord } from "../../protocol/mod.ts";

/** The faults that can be injected, each with a description. */
export const FAULT_ACTIONS = {
  "drop": "the frame never arrives",
  "delay": "the frame, and those behind it, arrive `ms` later",
  "duplicate": "the frame arrives twice",
  "reorder": "the frame arrives after the next one, or after `ms` if none follows",
  "half-open": "no frame arrives in either direction any more, but the connection stays open",
  "cut": "the connection drops without a close frame, and the frame is lost",
  "malformed": "the frame arrives without its second half",
  "refuse": "the connection is refused with 503 before it opens",
  "restart": "the server restarts: connections drop, and it is down for `ms`",
  "expire-token": "the connection drops, and its token is rejected from then on",
} as const;

/** A kind of fault. */
export type FaultAction = keyof typeof FAULT_ACTIONS;

/** Selects frames or connections: those that match all of its properties. */
export interface FaultCondition {
  /** The number of the connection since the server first started, from 1, or its session id. */
  connection?: number | string;
  /** The token that the connection authenticated with. */
  token?: string;
  /** `in` is towards the server, `out` towards the client. */
  direction?: "in" | "out";
  /**
   * The method of a request, or with `direction: "out"` the method of the request being answered.
   */
  method?: string;
  /** The type of the frame, such as `"event"`. */
  type?: string;
  /** The type of the event, such as `"job.completed"`. */
  event?: string;
  /** Only the nth match, from 1. */
  nth?: number;
  /** Only after this many frames of the connection, in both directions. */
  after?: number;
  /** The probability, from 0 to 1. */
  chance?: number;
}

/** A fault to inject. */
export interface Fault {
  /** The frames or connections it affects; by default all. */
  when?: FaultCondition;
  /** The kind of fault. */
  do: FaultAction;
  /**
   * The duration of faults that have one, in milliseconds.
   * @default {100}
   */
  ms?: number;
  /**
   * How often the fault happens at most.
   * @default {Infinity}
   */
  times?: number;
}

/** An open connection. */
export interface FaultConnection {
  /** Its number since the server first started, from 1. */
  connection: number;
  /** Its session id, once it has authenticated. */
  session_id?: string;
  /** How many frames it has sent and received. */
  frames: number;
}

/** The faults of a running server. */
export interface Faults {
  /** The seed of the random choices. */
  readonly seed: number;
  /** Lists the faults. */
  list(): Fault[];
  /** Lists the open connections. */
  connections(): FaultConnection[];
  /** Adds a fault; returns a function that removes it. */
  add(fault: Fault): () => void;
  /**
   * Injects a fault now, on every connection that matches. A fault that affects frames happens to the
   * next frame of each connection. A token that `expire-token` names expires over HTTP, too.
   */
  inject(fault: Fault): Promise<void>;
  /** Removes all faults. Connections that are half open stay that way. */
  clear(): void;
}

/**
 * Thrown when a value is not a fault.
 *
 * @example
 * ```ts
 * import { FaultError, parseFault } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * assert.throws(() => parseFault("explode"), FaultError);
 * ```
 */
export class FaultError extends Error {
  /** Always `"bad_fault"`. */
  readonly code = "bad_fault";

  /** Creates an error with a reason. */
  constructor(reason: string) {
    super(`Cannot read fault: ${reason}`);
    this.name = "FaultError";
  }
}

const NUMBERS = ["nth", "after", "chance"];
const TEXTS = ["token", "direction", "method", "type", "event"];

/**
 * Parses a fault in the notation of the command line: `cut:after=10`,
 * `delay:event=job.completed,ms=500`.
 *
 * @example
 * ```ts
 * import { parseFault } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseFault("delay:event=job.completed,ms=500"), {
 *   do: "delay",
 *   when: { event: "job.completed" },
 *   ms: 500,
 * });
 * ```
 *
 * @throws {FaultError} If the text is not a fault.
 */
export function parseFault(text: string): Fault {
  if (typeof text !== "string") throw new FaultError(`${shown(text)} is not a string`);
  const colon = text.indexOf(":");
  const action = colon < 0 ? text : text.slice(0, colon);
  const when: Record<string, unknown> = {};
  const fault: Record<string, unknown> = { do: action };
  for (const part of colon < 0 ? [] : text.slice(colon + 1).split(",")) {
    const equals = part.indexOf("=");
    if (equals < 1) throw new FaultError(`expected 'name=value' in '${text}', found '${part}'`);
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
 * Validates that a value is a fault, for example one from a JSON file.
 *
 * @example
 * ```ts
 * import { checkFault } from "@dispatch/sdk/dev";
 *
 * const fault = checkFault(JSON.parse('{ "do": "cut", "when": { "after": 10 } }'));
 * ```
 *
 * @throws {FaultError} If the value is not a fault.
 */
export function checkFault(value: unknown): Fault {
  if (!isRecord(value)) throw new FaultError("it is not an object");
  const { do: action, when, ...rest } = value;
  if (typeof action !== "string" || !Object.hasOwn(FAULT_ACTIONS, action)) {
    const known = Object.keys(FAULT_ACTIONS);
    const hint = didYouMean(action, known);
    const allowed = hint ? `; ${hint}` : `, but must be one of ${known.join(", ")}`;
    throw new FaultError(`'do' is ${shown(action)}${allowed}`);
  }
  for (const [name, setting] of Object.entries(rest)) {
    if (name !== "ms" && name !== "times") {
      const hint = didYouMean(name, ["do", "when", "ms", "times"]);
      throw new FaultError(`unknown property '${name}'${hint ? `; ${hint}` : ""}`);
    }
    if (setting !== undefined && !isCount(setting)) {
      throw new FaultError(`'${name}' must be a number, at least 0`);
    }
  }
  if (when !== undefined) checkCondition(when);
  return value as unknown as Fault;
}

function checkCondition(when: unknown): void {
  if (!isRecord(when)) throw new FaultError("'when' is not an object");
  for (const [name, setting] of Object.entries(when)) {
    if (setting === undefined) continue;
    const isNumber = NUMBERS.includes(name);
    if (!isNumber && !TEXTS.includes(name) && name !== "connection") {
      const hint = didYouMean(name, [...NUMBERS, ...TEXTS, "connection"]);
      throw new FaultError(`there is no 'when.${name}'${hint ? `; ${hint}` : ""}`);
    }
    const isValid = isNumber
      ? isCount(setting)
      : typeof setting === "string" || (name === "connection" && isCount(setting));
    if (!isValid) {
      const allowed = isNumber ? "a number, at least 0" : "a text";
      throw new FaultError(`'when.${name}' must be ${allowed}, not ${shown(setting)}`);
    }
  }
  if (when.direction !== undefined && when.direction !== "in" && when.direction !== "out") {
    throw new FaultError("'when.direction' must be 'in' or 'out'");
  }
}

function didYouMean(name: unknown, names: readonly string[]): string | undefined {
  const nearest = typeof name === "string" ? suggest(name, names) : undefined;
  return nearest && `did you mean '${nearest}'?`;
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && value >= 0;
}
