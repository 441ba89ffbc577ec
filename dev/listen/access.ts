import { badHeader, pathOf, type Rejection, type RequestHead } from "./handshake.ts";

/** Settings of {@linkcode AccessPolicy}. */
export interface AccessOptions {
  /** The name or address that the server listens on. */
  hostname: string;
  /** The origins whose pages may connect; `"*"` allows all. */
  allowOrigins: readonly string[];
  /**
   * The paths that pages of any origin may read. Without CORS headers they do not see the answer,
   * and a real server does not look at the origin.
   */
  openPaths: readonly string[];
  /** Whether pages of loopback addresses need to be allowed, too. */
  strict: boolean;
  /** Called once for each host or origin that is refused, with a line for the user. */
  onRefused: (line: string) => void;
}

/** How many refused hosts and origins are reported, so that an attack does not fill the terminal. */
const MOST_REPORTS = 20;

/**
 * Decides which requests a browser may send. A page of another site must not control a server that
 * runs on the user's machine. Its requests carry the page's origin, or, if its site's name resolves
 * to this machine (DNS rebinding), that name as the host.
 */
export class AccessPolicy {
  readonly #options: AccessOptions;
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;
  readonly #reported = new Set<string>();

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#origins = new Set(options.allowOrigins.map(normalOrigin));
    const urls = options.allowOrigins.flatMap((origin) => parseUrl(origin) ?? []);
    this.#hosts = new Set([
      options.hostname.toLowerCase(),
      ...urls.map(({ hostname }) => hostname),
    ]);
  }

  /** Returns the rejection of a request, if it is refused. */
  rejection({ method, target, header }: RequestHead): Rejection | undefined {
    const host = parseHost(header("host"));
    if (!host) return { status: 400, text: badHeader("Host") };
    if (this.#origins.has("*")) return undefined;
    if (!this.#isOwnHost(host)) return this.#refuse("host", host.host);
    if (/^(?:GET|HEAD|OPTIONS)$/.test(method) && this.#isOpen(target)) return undefined;
    const origin = header("origin");
    if (origin) return this.#isAllowed(origin, host) ? undefined : this.#refuse("origin", origin);
    // Requests for images and scripts have no origin, but browsers mark them as cross-site.
    if (header("sec-fetch-site") === "cross-site") {
      return { status: 403, text: "requests of pages of other sites are not allowed\n" };
    }
  }

  /** Whether the host is safe: an IP address, a local name, or one that is allowed. */
  #isOwnHost({ hostname }: URL): boolean {
    const name = hostname.replace(/\.$/, "");
    return isAddress(name) || isLocalName(name) || this.#hosts.has(name);
  }

  #isOpen(target: string): boolean {
    const path = pathOf(target);
    return this.#options.openPaths.some((open) => path.startsWith(`${open}/`));
  }

  #isAllowed(origin: string, host: URL): boolean {
    if (this.#origins.has(normalOrigin(origin))) return true;
    const url = parseUrl(origin);
    if (!url || !/^https?:$/.test(url.protocol)) return false;
    if (url.host === host.host) return true;
    if (this.#options.strict) return false;
    return url.hostname === host.hostname || isLocalName(url.hostname) || isLoopback(url.hostname);
  }

  #refuse(what: "host" | "origin", value: string): Rejection {
    const text = printable(value);
    const origin = what === "origin" ? text : `http://${text}`;
    if (this.#reported.size < MOST_REPORTS && !this.#reported.has(origin)) {
      this.#reported.add(origin);
      this.#options.onRefused(
        `refused a request ${what === "host" ? "to the host" : "of a page from"} '${text}'; ` +
          `to allow it: --allow-origin ${origin}`,
      );
    }
    return { status: 403, text: `${what} '${text}' is not allowed\n` };
  }
}

/**
 * Validates an origin of the option `allowOrigins`: `"*"`, `"null"`, or an origin such as
 * `"https://app.example.com"`, as browsers send it.
 */
export function isOrigin(text: string): boolean {
  if (text === "*" || text === "null") return true;
  const url = parseUrl(text);
  return url !== undefined && /^[a-z][a-z0-9+.-]*:\/\/[^/?#@*]+\/?$/i.test(text);
}

function normalOrigin(text: string): string {
  const url = parseUrl(text);
  return url && url.origin !== "null" ? url.origin : text.toLowerCase().replace(/\/$/, "");
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function parseHost(host: string | null | undefined): URL | undefined {
  return host && /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i.test(host)
    ? parseUrl(`http://${host}`)
    : undefined;
}

function isAddress(hostname: string): boolean {
  return hostname.startsWith("[") || /^\d+(?:\.\d+){3}$/.test(hostname);
}

function isLoopback(hostname: string): boolean {
  return hostname === "[::1]" || /^127(?:\.\d+){3}$/.test(hostname);
}

/** Browsers resolve these names to this machine without asking a name server. */
function isLocalName(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost");
}

/** A header's value as text for a terminal: one short line of ASCII. */
function printable(text: string): string {
  return text.slice(0, 200).replaceAll(/[^\x21-\x7e]/g, "?");
}
