import { abortable } from "./abortable.ts";
import type { Clock } from "./clock.ts";
import { isBlockedByNode, nodeFailure } from "./node_failures.ts";

/** What a runtime reports about a failed connection. */
interface Report {
  code?: string;
  /** The status of the answer, if there was one. */
  status?: number;
  /** The names, codes and messages of the error and its causes. */
  all: string;
  /** The message, without the address. */
  message: string;
}

/** How many milliseconds a request may take that finds out why a connection failed. */
const PROBE_TIME = 2_000;

const WRONG_PORT = "is this the port of a Dispatch server?";

/** The errors of an answer that is not HTTP. */
const NOT_HTTP = /HTTPParser|HPE_|invalid (HTTP|response)|Malformed_HTTP/i;

/** What the errors of the runtimes mean, and what to do about them. */
const MEANINGS: readonly (readonly [RegExp, (url: URL) => string])[] = [
  [
    /NotCapable|PermissionDenied/,
    (url) => `Deno may not use the network; run it with --allow-net=${url.hostname}:${portOf(url)}`,
  ],
  [
    /ECONNREFUSED|connection refused/i,
    (url) => `connection refused; is the server running, and is ${portOf(url)} its port?`,
  ],
  [
    /ENOTFOUND|EAI_AGAIN|dns error/,
    ({ hostname }) => `the host '${hostname}' was not found; check its name and the network`,
  ],
  [
    /EHOSTUNREACH|ENETUNREACH|unreachable/i,
    () => "the host cannot be reached from here; check the address and the network",
  ],
  [
    /ETIMEDOUT|CONNECT_TIMEOUT|timed out/i,
    () => "the host does not answer; check the address and the firewalls in between",
  ],
  [
    /WRONG_VERSION_NUMBER|InvalidContentType/,
    ({ protocol }) =>
      `the server does not use TLS on this port; use ${scheme(protocol, false)} instead of ` +
      scheme(protocol, true),
  ],
  [
    /EPROTO/,
    ({ protocol }) =>
      `the TLS handshake failed; if the server does not use TLS on this port, use ` +
      `${scheme(protocol, false)} instead of ${scheme(protocol, true)}`,
  ],
  [
    /CERT_HAS_EXPIRED|certificate (has )?expired/,
    () => "the server's certificate has expired; renew it",
  ],
  [
    /ALTNAME_INVALID|not valid for name/,
    ({ hostname }) =>
      `the server's certificate is not for '${hostname}'; use a name that it contains`,
  ],
  [
    /self.signed|CaUsedAsEndEntity/i,
    () => `the server's certificate is self-signed; ${trustAdvice()}`,
  ],
  [
    /certificate|CERT_|UNABLE_TO_(VERIFY|GET_ISSUER)/i,
    () => `the server's certificate is of an unknown authority; ${trustAdvice()}`,
  ],
  // What `fetch` of Node and of Deno says.
  [/bad port|Requests to port \d+ are blocked/, blockedPort],
  [/includes credentials/, () => "the address must not contain a user and a password"],
  [
    /websocket accept header|operation was aborted/,
    () => `what listens on this port does not open WebSockets properly; ${WRONG_PORT}`,
  ],
  [
    NOT_HTTP,
    () => `what listens on this port does not speak HTTP; ${WRONG_PORT}`,
  ],
];

/** The errors of a connection that ends before the server has answered. */
const HUNG_UP = /ECONNRESET|EPIPE|UND_ERR_SOCKET|connection (ended|reset|closed|error)/i;

/**
 * The messages of Deno and of our client about a WebSocket that the server accepted and then
 * closed.
 */
const WAS_OPEN = /^(Unexpected EOF|Connection reset by peer|closed with code )/;

/** The errors of Deno and Bun that only name the step of connecting that failed. */
const VAGUE = /tcp connect error|fatal alert|Failed to connect/;

/** Asks the server what is wrong, if that is allowed; returns its report, if there is one. */
type Probe = (ask: (signal: AbortSignal) => Promise<Report>) => Promise<Report | undefined>;

/**
 * Finds out why a connection failed. Returns an error that says so and what to do about it, without
 * secrets of the address, and with the `code` that the runtime gives.
 *
 * @param error What the runtime reports.
 * @param probeSignal Ends a request to the server that finds out more. Without it none is sent.
 */
export async function explainFailure(
  error: unknown,
  url: URL,
  clock: Clock,
  probeSignal?: AbortSignal | false | null,
): Promise<Error> {
  // Node reports nothing to the WebSocket itself.
  let report = reportOf(nodeFailure(url) ?? error);
  const probe: Probe = async (ask) =>
    probeSignal ? await withinProbeTime(clock, probeSignal, ask) : undefined;
  if (VAGUE.test(report.all)) {
    const address = scheme("http", !isPlain(url)) + url.host;
    const found = await probe((signal) =>
      /tcp connect/.test(report.all) ? openTcp(url) : sendHead(address, signal)
    );
    if (found && knownMeaning(found.all, url)) report = found;
  }
  const isBlocked = probeSignal && url.protocol.startsWith("ws") && isBlockedByNode(url);
  const meaning = isBlocked ? blockedPort(url) : await meaningOf(report, url, probe);
  return Object.assign(new Error(meaning), report.code ? { code: report.code } : {});
}

async function meaningOf(
  { status, all, message }: Report,
  url: URL,
  probe: Probe,
): Promise<string> {
  if (url.protocol.startsWith("ws") && WAS_OPEN.test(message)) {
    return `the server closed the connection before it answered (${message}); ` +
      "is it a Dispatch server?";
  }
  const hungUp = HUNG_UP.test(all);
  if (isPlain(url) && (hungUp || status === 400 || NOT_HTTP.test(all))) {
    // Servers with TLS drop a plain request, or answer 400 or with an alert.
    const found = await probe((signal) => sendHead(`https://${url.host}`, signal));
    if (found?.status || /certificate|CERT_|UNABLE_TO/i.test(found?.all ?? "")) {
      return `the server uses TLS on this port; use ${scheme(url.protocol, true)} instead of ` +
        scheme(url.protocol, false);
    }
  }
  if (status) return `the server answered ${status}${explainStatus(status, url)}`;
  return knownMeaning(all, url) ??
    (hungUp ? `the server closed the connection without an answer; ${WRONG_PORT}` : message) +
      (VAGUE.test(all) ? "; is the server running, and is the address right?" : "");
}

/**
 * Returns what an HTTP status means where a Dispatch server should be: the text after "answered
 * 404".
 */
export function explainStatus(status: number, { pathname, protocol }: URL): string {
  if (status === 404) {
    const advice = pathname.startsWith("/dwp")
      ? "is it a Dispatch server, and is this the path of DWP on it?"
      : "Dispatch servers mount DWP at '/dwp' by default";
    return `: there is nothing at '${pathname}'; ${advice}`;
  }
  if (status === 401 || status === 403 || status === 407) {
    return ": it, or a proxy before it, does not let you in; ask whoever runs it";
  }
  if (status >= 300 && status < 400) {
    return ": a redirect, which the client does not follow; use the address that it leads to";
  }
  if (status >= 502 && status <= 504) {
    return ": a proxy cannot reach the Dispatch server behind it; is that running?";
  }
  const base = pathname.replace(/\/(rpc|sse)$/, "") || "/";
  const path = `is '${base}' the path of DWP, by default '/dwp'`;
  return protocol.startsWith("ws")
    ? ` instead of opening a WebSocket; ${path}, and does every proxy pass WebSockets on?`
    : `; ${path}, and a Dispatch server behind it?`;
}

function blockedPort(url: URL): string {
  const runtime = "Deno" in globalThis ? "Deno" : "Node";
  return `${runtime} does not connect to port ${portOf(url)}, which the standard of \`fetch\` ` +
    "blocks; let the server use another port";
}

function knownMeaning(error: string, url: URL): string | undefined {
  return MEANINGS.find(([pattern]) => pattern.test(error))?.[1](url);
}

function reportOf(failure: unknown): Report {
  if (typeof failure === "number") return { status: failure, all: "", message: "" };
  const lines: string[] = [];
  let code: string | undefined;
  let message = "";
  let at = failure as { name?: string; code?: unknown; message?: string; cause?: unknown };
  for (let depth = 0; depth < 5 && at; depth++, at = at.cause as typeof at) {
    if (typeof at.code === "string") code ??= at.code;
    // The innermost error says most; the one around it only "fetch failed".
    message = at.message || message;
    lines.push(`${at.name} ${at.code} ${at.message}`);
  }
  const status = Number(/status code: (\d{3})$/.exec(message)?.[1]);
  return { code, ...(status ? { status } : {}), all: lines.join("\n"), message: shown(message) };
}

/** Removes what an address may contain from a message: Bun and Deno write the whole of it. */
function shown(message: string): string {
  return message
    .replace(
      /^.*? failed: |^.*client error \(\w+\): |^(NetworkError: )?failed to connect.*?: /s,
      "",
    )
    .replace(/\w+:\/\/[^\s'")]*/g, "the address") || "the runtime gives no reason";
}

/** Asks a server; returns nothing if that takes too long or is aborted. */
async function withinProbeTime(
  clock: Clock,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<Report>,
): Promise<Report | undefined> {
  const limit = new AbortController();
  const timer = clock.setTimeout(() => limit.abort(), PROBE_TIME);
  const either = AbortSignal.any([signal, limit.signal]);
  try {
    return await abortable(ask(either), either);
  } catch (error) {
    return either.aborted ? undefined : reportOf(error);
  } finally {
    clock.clearTimeout(timer);
  }
}

/** Sends a request without the path, the query and the token. */
async function sendHead(address: string, signal: AbortSignal): Promise<Report> {
  const response = await fetch(address, { method: "HEAD", redirect: "manual", signal });
  await response.body?.cancel();
  return reportOf(response.status);
}

/** Opens a connection on Deno, whose `fetch` blocks some ports. */
async function openTcp(url: URL): Promise<Report> {
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const { Deno } = globalThis as unknown as { Deno: { connect: ConnectTcp } };
  (await Deno.connect({ hostname, port: Number(portOf(url)) })).close();
  return reportOf("");
}

type ConnectTcp = (address: { hostname: string; port: number }) => Promise<{ close(): void }>;

function isPlain({ protocol }: URL): boolean {
  return protocol === "ws:" || protocol === "http:";
}

function portOf(url: URL): string {
  return url.port || (isPlain(url) ? "80" : "443");
}

/** The scheme of an address with or without TLS. */
function scheme(protocol: string, secure: boolean): string {
  return `${protocol.startsWith("ws") ? "ws" : "http"}${secure ? "s" : ""}://`;
}

function trustAdvice(): string {
  const name = "Deno" in globalThis ? "DENO_CERT" : "NODE_EXTRA_CA_CERTS";
  return `name the file of its authority in ${name}`;
}
