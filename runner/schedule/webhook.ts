import { type Clock, delay } from "../../runtime/clock.ts";
import type { AlertKind } from "./alerts.ts";

/** The JSON body that is posted to a webhook about an alert. */
export interface AlertMessage {
  /** The version of this format. It changes when readers of the old format could not read it. */
  version: 1;
  /** Whether the alert was raised, is repeated, or was resolved. */
  type: AlertKind;
  /** The whole message in one line. */
  text: string;
  /** The recipe's name. */
  recipe: string;
  /** The recipe's file, as it was named on the command line. */
  file: string;
  /** The server that the recipe ran against, or `embedded`. */
  server: string;
  /** The time of the alert, RFC 3339. */
  at: string;
  /** The time of the first failure, RFC 3339. */
  failing_since: string;
  /** The number of failures in a row. */
  failures: number;
  /** Why the last run failed, in one line. */
  failure?: string;
}

/** Settings of {@linkcode postAlert}. */
export interface PostAlertOptions {
  /** Sends requests. */
  fetch: typeof fetch;
  /** Measures timeouts and pauses. */
  clock: Clock;
  /** Cancels the delivery when aborted. */
  signal: AbortSignal;
  /** Called after each failed attempt. */
  warn(text: string): void;
}

/** How often a delivery is tried, with pauses of 1, 2, 4 and 8 seconds. */
const ATTEMPTS = 5;
/** The time limit for a response, in milliseconds. */
const TIMEOUT = 10_000;

/**
 * Posts an alert as JSON. Retries when there is no response or when its status is 429 or 5xx; any
 * other status is final.
 *
 * @returns Whether the alert was delivered.
 */
export async function postAlert(
  address: string,
  message: AlertMessage,
  options: PostAlertOptions,
): Promise<boolean> {
  const { clock, signal, warn } = options;
  // Only the origin is printed: the path of a webhook is often its secret.
  const { origin } = new URL(address);
  for (let attempt = 1;; attempt++) {
    const problem = await post(address, message, options);
    if (problem === undefined) return true;
    const isLast = problem.final || attempt === ATTEMPTS || signal.aborted;
    const pause = 1000 * 2 ** (attempt - 1);
    const next = isLast ? "giving up" : `retrying in ${pause / 1000} s`;
    warn(`cannot send the alert for ${message.recipe} to ${origin}: ${problem.text}; ${next}`);
    if (isLast) return false;
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
  { fetch, clock, signal }: PostAlertOptions,
): Promise<{ text: string; final: boolean } | undefined> {
  const timeout = new AbortController();
  const timer = clock.setTimeout(() => timeout.abort(), TIMEOUT);
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(message),
      signal: AbortSignal.any([signal, timeout.signal]),
    });
    await response.body?.cancel();
    const { ok, status } = response;
    if (ok) return undefined;
    return { text: `the server answered ${status}`, final: status !== 429 && status < 500 };
  } catch (error) {
    const text = timeout.signal.aborted ? "no answer within 10 s" : innermostMessage(error);
    return { text, final: false };
  } finally {
    clock.clearTimeout(timer);
  }
}

/** The message of the cause: runtimes wrap it in an error that says only "fetch failed". */
function innermostMessage(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== "" ? cause.message : message;
}
