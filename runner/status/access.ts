import { timingSafeEqual } from "node:crypto";
import { type Clock, monotonicNow } from "../../runtime/clock.ts";

/** Who may see what. */
export interface AccessOptions {
  /** Opens everything; without one there is nothing to open. */
  token: string | undefined;
  /** Whether everybody may see the page, without details. */
  isPublic: boolean;
  /** The addresses that the page is served under. */
  hosts: readonly string[] | "any";
  /** Where the page is served behind a proxy, which may ask for it by another name. */
  origin?: string | undefined;
  /** The clock of the rate limit. */
  clock: Clock;
}

/** How much a visitor may see. */
export type Sight = "details" | "overview" | "nothing";

/** How many wrong tokens a minute are looked at: of one address, and of all. */
const [MOST_ATTEMPTS, MOST_OF_ALL] = [10, 1_000];

/** From how many characters on nobody can guess a token, however often that is tried. */
const LONG_TOKEN = 16;
const MINUTE = 60_000;

/** The name of the cookie of those who have given the token. */
const COOKIE = "dispatch_session";

/** How long such a cookie lasts, in seconds. */
const COOKIE_AGE = 12 * 3600;

/** Decides who sees what. */
export class Access {
  #options: AccessOptions;
  #sessions = new Map<string, number>();
  #wrong: { at: number; from: string }[] = [];

  /** Creates it. */
  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Whether there is something that a token opens. */
  get hasToken(): boolean {
    return this.#options.token !== undefined;
  }

  /**
   * What a visitor sees. A wrong token is an error even where everybody sees the overview: whoever
   * gives one expects more.
   *
   * @param from The visitor's address: who gives wrong tokens locks out no other address.
   */
  sight(headers: Headers, from: string): Sight | "wrong" | "too many" {
    const { token, isPublic } = this.#options;
    if (token === undefined) return isPublic ? "overview" : "details";
    if (this.#sessionOf(headers) !== undefined) return "details";
    // What another scheme says is for a proxy.
    const authorization = headers.get("authorization") ?? "";
    const [bearer, given = ""] = /^Bearer(?: +(.*))?$/i.exec(authorization) ?? [];
    if (bearer === undefined) return isPublic ? "overview" : "nothing";
    const isRight = this.#isRight(given, from);
    return isRight === "too many" ? isRight : isRight ? "details" : "wrong";
  }

  /** Returns what says whether a visitor still sees details: not after the end of the session. */
  sessionCheck(headers: Headers): () => boolean {
    const session = this.#sessionOf(headers);
    return () => session === undefined || this.#isOpen(session);
  }

  /** Returns the cookie of a visitor who gives the token. */
  logIn(given: string, headers: Headers, from: string): string | "wrong" | "too many" {
    const isRight = this.#isRight(given, from);
    if (isRight === "too many") return isRight;
    if (!isRight) return "wrong";
    const session = crypto.randomUUID();
    this.#sessions.set(session, this.#now() + COOKIE_AGE * 1000);
    const secure = headers.get("origin")?.startsWith("https:") ? "; Secure" : "";
    return `${COOKIE}=${session}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${COOKIE_AGE}${secure}`;
  }

  /** Ends the session of a visitor, and returns the cookie that says so. */
  logOut(headers: Headers): string {
    const session = cookieOf(headers);
    if (session !== undefined) this.#sessions.delete(session);
    return `${COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0`;
  }

  /**
   * Whether a request is for this page: by its `Host`, so that no other name leads here, and by its
   * `Origin`, so that no other page sends it.
   */
  isForUs(headers: Headers): boolean {
    const { hosts, origin: own } = this.#options;
    const host = headers.get("host") ?? "";
    const name = host.replace(/:\d+$/, "").toLowerCase();
    if (hosts !== "any" && !hosts.includes(name)) return false;
    const origin = headers.get("origin");
    if (origin === null || origin === own) return true;
    return URL.canParse(origin) && new URL(origin).host === host;
  }

  /**
   * Compares without saying by its time how much is right, and not too often. A right token that is long
   * is always taken: behind a proxy all visitors have one address, and a stranger must not lock out all.
   */
  #isRight(given: string, from: string): boolean | "too many" {
    const now = this.#now();
    this.#wrong = this.#wrong.filter(({ at }) => at > now - MINUTE);
    const own = this.#wrong.filter((one) => one.from === from).length;
    const areMany = own >= MOST_ATTEMPTS || this.#wrong.length >= MOST_OF_ALL;
    const [a, b] = [bytesOf(given), bytesOf(this.#options.token!)];
    const isRight = a.length === b.length && timingSafeEqual(a, b);
    if (areMany && !(isRight && b.length >= LONG_TOKEN)) return "too many";
    if (!isRight) this.#wrong.push({ at: now, from });
    return isRight;
  }

  /** The session of a visitor, if it is open. */
  #sessionOf(headers: Headers): string | undefined {
    const session = cookieOf(headers);
    return session !== undefined && this.#isOpen(session) ? session : undefined;
  }

  #isOpen(session: string): boolean {
    const now = this.#now();
    for (const [one, until] of this.#sessions) if (until < now) this.#sessions.delete(one);
    return this.#sessions.has(session);
  }

  #now(): number {
    return monotonicNow(this.#options.clock);
  }
}

function cookieOf(headers: Headers): string | undefined {
  const cookies = (headers.get("cookie") ?? "").split("; ");
  return cookies.find((one) => one.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
