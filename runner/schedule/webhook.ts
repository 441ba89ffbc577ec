import { type Clock, delay } from "../../runtime/clock.ts";
import type { AlertMessage } from "./alert_message.ts";

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
/** How many characters of the reason of a network error are printed. */
const MAX_REASON = 300;

/**
 * Posts an alert as JSON. Retries when there is no response or when its status is 429 or 5xx; any
 * other status is final. A redirect is not followed, because most turn a POST into a GET without
 * the alert.
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

/** Why an alert was not delivered. */
interface Problem {
  text: string;
  /** Whether another attempt would fail too. */
  final: boolean;
}

async function post(
  address: string,
  message: AlertMessage,
  { fetch, clock, signal }: PostAlertOptions,
): Promise<Problem | undefined> {
  const timeout = new AbortController();
  const timer = clock.setTimeout(() => timeout.abort(), TIMEOUT);
  try {
    const { url, authorization } = withoutCredentials(address);
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...authorization },
      body: JSON.stringify(message),
      redirect: "manual",
      signal: AbortSignal.any([signal, timeout.signal]),
    });
    await response.body?.cancel();
    return problemOf(response);
  } catch (error) {
    const text = timeout.signal.aborted ? "no answer within 10 s" : reasonOf(error);
    return { text, final: false };
  } finally {
    clock.clearTimeout(timer);
  }
}

/** Moves the user and password of an address to a header: not every runtime accepts them there. */
function withoutCredentials(address: string): {
  url: string;
  authorization: { authorization?: string };
} {
  const url = new URL(address);
  const { username, password } = url;
  if (username + password === "") return { url: address, authorization: {} };
  url.username = url.password = "";
  const credentials = new TextEncoder().encode(`${decode(username)}:${decode(password)}`);
  const authorization = `Basic ${btoa(String.fromCharCode(...credentials))}`;
  return { url: url.href, authorization: { authorization } };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    // A percent sign that begins no escape sequence stands for itself.
    if (error instanceof URIError) return part;
    throw error;
  }
}

function problemOf({ ok, status, type }: Response): Problem | undefined {
  if (ok) return undefined;
  if (type === "opaqueredirect" || status >= 300 && status < 400) {
    const answer = status === 0 ? "a redirect" : `${status}, a redirect`;
    return {
      text: `the server answered ${answer}, which is not followed: use the address it leads to`,
      final: true,
    };
  }
  return { text: `the server answered ${status}`, final: status !== 429 && status < 500 };
}

/**
 * Returns why a request failed, without the address, which runtimes include in their own form. The
 * cause says why, and the error around it only "fetch failed".
 */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const inner = cause as { message?: string; code?: string } | undefined;
  return (inner?.message || inner?.code || message)
    .replace(/ for url \([^)]*\)/g, "")
    .replace(/\b[a-z][a-z\d+.-]*:\/\/\S*/gi, "the address")
    .replace(/\s+/g, " ")
    .slice(0, MAX_REASON);
}
