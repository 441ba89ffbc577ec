import { DispatchError } from "../errors.ts";
import {
  checkOptions,
  CLIENT,
  CREATE,
  type HttpOptions,
  type OptionRules,
  type TokenSource,
} from "../options.ts";

/** The path of the admin API, unless a server configures another one. */
const ADMIN_PATH = "/dispatch/v1";

/** Settings of a {@linkcode DispatchAdmin} client. */
export interface AdminOptions extends Omit<HttpOptions, "url" | "token"> {
  /**
   * The server's WebSocket endpoint, from which the address of the API is derived:
   * `wss://host/x/dwp` becomes `https://host/x/dispatch/v1`. Not needed if `base` is a URL.
   */
  url?: string | URL;
  /**
   * Where the API is: a URL such as `https://host/ops/dispatch`, or a path on the host of `url`. A
   * missing `/v1` at its end is added.
   * @default {derived from `url`}
   */
  base?: string | URL;
  /**
   * A token to send as `Authorization: Bearer …`. Servers do not look at it; an application that
   * guards the API may.
   */
  token?: TokenSource;
  /** More headers for each request, such as those that an application asks for. */
  headers?: Readonly<Record<string, string>> | Headers;
}

/** The checked options of a client: its address, its headers, and the options of its session. */
export interface AdminSettings {
  base: URL;
  headers: Headers;
  session: HttpOptions;
}

const OBJECT = "an object";

/**
 * Checks the options of an admin client.
 *
 * @throws {DispatchError} With the code `"bad_options"`, if one is unknown or has a wrong value.
 */
export function adminSettings(options: AdminOptions): AdminSettings {
  const rules: OptionRules = {
    ...CLIENT,
    fetch: "a function",
    base: "a string or object",
    headers: OBJECT,
  };
  const given = Object.fromEntries(
    Object.entries(Object(options)).filter(([, value]) => value !== undefined),
  ) as AdminOptions;
  const { base, headers, ...session } = given;
  const address = absolute(base);
  checkOptions(CREATE, typeof options === "object" ? given : options, rules);
  // With a whole base there need not be an endpoint.
  // Without a token none is sent.
  const { url = address, token = () => "" } = session;
  checkOptions(CREATE, { url }, rules);
  return {
    base: address ?? below(new URL(url!), base as string | undefined),
    headers: headersOf(headers),
    session: { ...session, url: url!, token },
  };
}

/** Returns the address of a base that is a whole URL. */
function absolute(base: string | URL | undefined): URL | undefined {
  if (base === undefined || (typeof base === "string" && base.startsWith("/"))) return undefined;
  const url = URL.canParse(base) ? toHttp(new URL(base)) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    const text = `Cannot ${CREATE}: 'base' must be an http(s) URL or a path that begins with '/'`;
    throw new DispatchError(text, "bad_options");
  }
  url.pathname = withVersion(url.pathname);
  return url;
}

/** Derives the address from that of the WebSocket endpoint. */
function below(endpoint: URL, path: string | undefined): URL {
  const url = toHttp(endpoint);
  // Without `/dwp` at its end, it is not known what stands before it.
  const prefix = /^(.*)\/dwp\/?$/.exec(url.pathname)?.[1] ?? "";
  url.pathname = path === undefined ? prefix + ADMIN_PATH : withVersion(path);
  return url;
}

function toHttp(url: URL): URL {
  url.protocol = url.protocol.replace(/^ws/, "http");
  url.search = url.hash = "";
  return url;
}

function withVersion(path: string): string {
  const plain = path.replace(/\/+$/, "");
  return plain.endsWith("/v1") ? plain : `${plain}/v1`;
}

function headersOf(given: AdminOptions["headers"] = {}): Headers {
  const headers = new Headers();
  for (const [name, value] of given instanceof Headers ? given : Object.entries(given)) {
    try {
      if (typeof value !== "string") throw new TypeError();
      headers.set(name, value);
    } catch {
      // The runtime's own message would show the value, which may be secret.
      const text = `Cannot ${CREATE}: 'headers' has no valid value for '${name}'`;
      throw new DispatchError(text, "bad_options");
    }
  }
  return headers;
}
