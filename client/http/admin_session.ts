import { EntityError } from "../../protocol/entity.ts";
import { explainAnswer } from "../../runtime/explain.ts";
import type { Request } from "../connection/transport.ts";
import { AuthError, DispatchError } from "../errors.ts";
import { CALL, checkOptions, NAME, WRITE, type WriteOptions } from "../options.ts";
import { type AdminOptions, type AdminSettings, adminSettings } from "./admin_options.ts";
import { isTooLong, readAll, tooLarge } from "./http_requests.ts";
import { HttpSession } from "./http_session.ts";

/** One call of the admin API. */
export interface AdminCall<T> {
  /** The action as an error message names it: `retry job 'job_…'`. */
  what: string;
  /** The HTTP method and the path below the base. An id in it is written as `:id`. */
  route: `${"GET" | "POST" | "DELETE"} /${string}`;
  /** The id that stands in the path. */
  id?: string;
  /** The parameters after the path. */
  query?: URLSearchParams;
  /** Reads the answer. */
  decode(answer: unknown): T;
}

/** How much of an answer that is not the API's an error shows. */
const SHOWN_LENGTH = 200;

/** Sends the calls of an admin client. */
export class AdminSession {
  readonly #http: HttpSession;
  readonly #settings: AdminSettings;

  constructor(options: AdminOptions) {
    this.#settings = adminSettings(options);
    this.#http = new HttpSession(this.#settings.session);
  }

  /** Sends a call and resolves with its decoded answer. */
  async call<T>(call: AdminCall<T>, options?: WriteOptions): Promise<T> {
    const { what, route, id, decode } = call;
    const isRead = route.startsWith("GET");
    checkOptions(what, options, isRead ? CALL : WRITE);
    if (route.includes(":id")) checkId(what, id);
    const request: Request = {
      what,
      method: `admin ${route}`,
      ...(id === undefined ? {} : { subject: id }),
      retry: isRead ? "unknown" : "not-sent",
      ...options,
    };
    const answer = await this.#http.send(request, (signal) => this.#exchange(call, signal));
    try {
      return decode(answer);
    } catch (cause) {
      if (cause instanceof DispatchError && !(cause instanceof EntityError)) throw cause;
      const text = `Cannot ${what}: the answer is not valid: ${(cause as Error).message}`;
      throw new DispatchError(text, "bad_answer", { cause });
    }
  }

  /** Rejects all calls in flight. */
  close(): void {
    this.#http.close();
  }

  async #exchange<T>(call: AdminCall<T>, signal: AbortSignal): Promise<unknown> {
    const { what, route, id = "", query } = call;
    const { base, headers } = this.#settings;
    const [method, path] = route.split(" ") as [string, string];
    const url = new URL(base);
    url.pathname += path.replace(":id", encodeURIComponent(id));
    if (query) url.search = query.toString();
    const init = { method, headers: withToken(headers, await this.#http.token(signal)), signal };
    const { response, text } = await this.#http.fetch(what, url, init, async (response) => {
      return { response, text: await readAll(response) };
    });
    if (isTooLong(text)) throw tooLarge(what);
    if (!response.ok) throw refusal(call, response, text, url);
    if (response.status === 204) return undefined;
    const answer = parseOnce(text);
    if (answer !== undefined) return answer;
    const why = "did not answer with JSON; is this the address of the admin API?";
    throw new DispatchError(`Cannot ${what}: ${addressOf(url)} ${why}`, "bad_answer");
  }
}

function withToken(headers: Headers, token: string): Headers {
  if (token === "" || headers.has("Authorization")) return headers;
  const sent = new Headers(headers);
  try {
    sent.set("Authorization", `Bearer ${token}`);
  } catch {
    // The runtime's own message would show the token.
    throw new AuthError("Cannot send token: it has characters that a header cannot have");
  }
  return sent;
}

/**
 * Parses an answer. Servers send a single record as the same line of JSON two times, which is not
 * valid JSON.
 */
function parseOnce(text: string): unknown {
  for (const part of [text, text.split("\n", 1)[0]!]) {
    try {
      return JSON.parse(part);
    } catch {
      // The next part may be valid.
    }
  }
}

/** Creates the error for an answer without success. */
function refusal<T>(
  { what, query }: AdminCall<T>,
  response: Response,
  text: string,
  url: URL,
): DispatchError {
  const { status, headers } = response;
  const reason = reasonIn(text);
  if (status === 404 && reason === undefined && query) {
    const why = "this server has no such list";
    return new DispatchError(`Cannot ${what}: ${why} (404 at ${addressOf(url)})`, status);
  }
  if (reason !== undefined) {
    const message = `Cannot ${what}: the server answered ${status} ${reason}`;
    return status === 401 ? new AuthError(message) : new DispatchError(message, status);
  }
  const answered = `Cannot ${what}: ${addressOf(url)} answered ${status}`;
  if (status === 401 || status === 403) {
    const isText = /^text\/plain\b/i.test(headers.get("Content-Type") ?? "");
    const said = isText && text.trim() !== "" ? ` ${text.trim().slice(0, SHOWN_LENGTH)}` : "";
    const message = `${answered}${said}: the application guards the API; ` +
      "use the options 'token' or 'headers'";
    return status === 401 ? new AuthError(message) : new DispatchError(message, status);
  }
  if (status === 404 || status === 405) {
    const why =
      "there is no admin API; only servers built with the forge extension have one, and " +
      "the option 'base' says where";
    // Not the number, which would mean that an id is unknown.
    return new DispatchError(`${answered}: ${why}`, "no_admin_api");
  }
  return new DispatchError(`${answered}${explainAnswer(response, url) ?? ""}`, status);
}

/** Finds the reason in an error: `{code, error}` of the API, or what frameworks send instead. */
function reasonIn(text: string): string | undefined {
  const { error, message } = Object(parseOnce(text)) as { error?: unknown; message?: unknown };
  const reason = [error, Object(error).message, message].find((one) => typeof one === "string");
  return reason === undefined ? undefined : String(reason).slice(0, SHOWN_LENGTH);
}

function addressOf({ origin, pathname }: URL): string {
  return `'${origin}${pathname}'`;
}

function checkId(what: string, id: unknown): void {
  checkOptions(what, { id }, NAME);
  // As a segment of a path they would lead elsewhere.
  if (!/^\.{1,2}$|\p{Surrogate}/u.test(id as string)) return;
  throw new DispatchError(`Cannot ${what}: 'id' must be an id`, "bad_options");
}
