import { abortable } from "../../runtime/abortable.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Message, NoticeRequest, Problem, Target } from "./target.ts";

/** Settings of {@linkcode send}. */
export interface SendOptions {
  /** Sends requests. */
  fetch: typeof fetch;
  /** Measures the time limit. */
  clock: Clock;
  /** Ends the attempt when aborted. */
  signal: AbortSignal;
}

/** The time limit of an attempt, in milliseconds. */
const TIMEOUT = 10_000;

/** How many characters of the reason of a network error are told. */
const MAX_REASON = 300;

/** Tells a target of a message, once. Returns why it was not told, if so. */
export function send(
  target: Target,
  message: Message,
  options: SendOptions,
): Promise<Problem | undefined> {
  return attempt(async (signal) => {
    if ("deliver" in target) return await target.deliver(message, { signal });
    const request = await requestOf(target, message);
    return "text" in request ? request : await post(request, options.fetch, signal);
  }, options);
}

/** Does something within the time limit of an attempt. An error becomes a problem that may pass. */
export async function attempt(
  work: (signal: AbortSignal) => Promise<Problem | undefined>,
  { clock, signal }: Omit<SendOptions, "fetch">,
): Promise<Problem | undefined> {
  const timeout = new AbortController();
  const timer = clock.setTimeout(() => timeout.abort(), TIMEOUT);
  try {
    const either = AbortSignal.any([signal, timeout.signal]);
    // A mail server that answers a bit every few seconds would never be given up.
    return await abortable(work(either), either);
  } catch (error) {
    const text = timeout.signal.aborted ? "no answer within 10 s" : reasonOf(error);
    return { text, final: false };
  } finally {
    clock.clearTimeout(timer);
  }
}

/** Makes the request. An expression that fails for this message fails in the next attempt, too. */
async function requestOf(
  target: Extract<Target, { request: unknown }>,
  message: Message,
): Promise<NoticeRequest | Problem> {
  try {
    return await target.request(message);
  } catch (error) {
    return { text: `the request cannot be made: ${reasonOf(error)}`, final: true };
  }
}

/**
 * Sends a request. A redirect is not followed, because most turn a POST into a GET without the notice,
 * and because it could lead a secret elsewhere. What the answer says is not read.
 */
export async function post(
  { url, method = "POST", headers, body }: NoticeRequest,
  fetch: SendOptions["fetch"],
  signal: AbortSignal,
): Promise<Problem | undefined> {
  const { address, authorization } = withoutCredentials(url);
  const response = await fetch(address, {
    method,
    headers: { ...authorization, ...headers },
    ...(method === "GET" ? {} : { body }),
    redirect: "manual",
    signal,
  });
  await response.body?.cancel();
  return problemOf(response);
}

/** Moves the user and password of an address to a header: not every runtime accepts them there. */
function withoutCredentials(text: string): {
  address: string;
  authorization: { authorization?: string };
} {
  const url = new URL(text);
  const { username, password } = url;
  if (username + password === "") return { address: text, authorization: {} };
  url.username = url.password = "";
  const credentials = new TextEncoder().encode(`${decode(username)}:${decode(password)}`);
  const authorization = `Basic ${btoa(String.fromCharCode(...credentials))}`;
  return { address: url.href, authorization: { authorization } };
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

function problemOf({ ok, status, type, headers }: Response): Problem | undefined {
  if (ok) return undefined;
  if (type === "opaqueredirect" || status >= 300 && status < 400) {
    const answer = status === 0 ? "a redirect" : `${status}, a redirect`;
    return {
      text: `the server answered ${answer}, which is not followed: use the address it leads to`,
      final: true,
    };
  }
  // These two ask to try again.
  const mayHelp = status === 408 || status === 429 || status >= 500;
  const wait = mayHelp ? secondsOf(headers.get("retry-after")) : undefined;
  return {
    text: `the server answered ${status}`,
    final: !mayHelp,
    ...(wait === undefined ? {} : { wait: wait * 1_000 }),
  };
}

/** Reads a `Retry-After` in seconds. One with a date would depend on two clocks. */
function secondsOf(text: string | null): number | undefined {
  return text !== null && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
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
