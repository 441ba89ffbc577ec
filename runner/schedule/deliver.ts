import { type Clock, delay } from "../../runtime/clock.ts";
import type { Alert } from "./scheduler.ts";

/** What is posted to an address when an alert is raised, repeated or resolved. */
export interface AlertMessage {
  /** The version of this message; it changes when a reader of the old one could not read the new. */
  version: 1;
  /** What has changed. */
  type: Alert["kind"];
  /** All of it in one line. */
  text: string;
  /** The recipe's name. */
  recipe: string;
  /** Its file, as it was given. */
  file: string;
  /** The server it ran against; `embedded` for one inside the runner. */
  server: string;
  /** When, RFC 3339. */
  at: string;
  /** Since when it has failed, RFC 3339. */
  failing_since: string;
  /** How often it has failed in a row. */
  failures: number;
  /** Why it last failed, in one line. */
  failure?: string;
}

/** What a delivery needs. */
export interface DeliverOptions {
  /** Sends requests. */
  fetch: typeof fetch;
  /** Where time comes from. */
  clock: Clock;
  /** Ends it: what was not delivered is given up. */
  signal: AbortSignal;
  /** Told of what went wrong. */
  warn(text: string): void;
}

/** How often it is tried in all, with pauses of 1, 2, 4 and 8 seconds. */
const ATTEMPTS = 5;
/** How long an answer may take, in milliseconds. */
const TIMEOUT = 10_000;

/**
 * Posts a message as JSON. An address that does not answer, or answers with a 429 or a 5xx, is tried
 * again; another answer than 2xx is final.
 *
 * @returns Whether it arrived.
 */
export async function deliver(
  address: string,
  message: AlertMessage,
  options: DeliverOptions,
): Promise<boolean> {
  const { clock, signal, warn } = options;
  // The path of a hook is often its secret.
  const whom = new URL(address).origin;
  for (let attempt = 1;; attempt++) {
    const problem = await post(address, message, options);
    if (problem === undefined) return true;
    const last = problem.final || attempt === ATTEMPTS || signal.aborted;
    const pause = 1000 * 2 ** (attempt - 1);
    const then = last ? "it is given up" : `it is tried again in ${pause / 1000} s`;
    warn(`the alert for ${message.recipe} did not reach ${whom}: ${problem.text}; ${then}`);
    if (last) return false;
    try {
      await delay(pause, { signal, clock });
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }
}

async function post(
  address: string,
  message: AlertMessage,
  { fetch, clock, signal }: DeliverOptions,
): Promise<{ text: string; final: boolean } | undefined> {
  const late = new AbortController();
  const timer = clock.setTimeout(() => late.abort(), TIMEOUT);
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(message),
      signal: AbortSignal.any([signal, late.signal]),
    });
    await response.body?.cancel();
    const { ok, status } = response;
    if (ok) return undefined;
    return { text: `it answered ${status}`, final: status !== 429 && status < 500 };
  } catch (error) {
    const text = late.signal.aborted ? "it did not answer within 10 s" : reasonOf(error);
    return { text, final: false };
  } finally {
    clock.clearTimeout(timer);
  }
}

/** The innermost reason: runtimes wrap it in words that say nothing. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== "" ? cause.message : message;
}
