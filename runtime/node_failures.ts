// deno-lint-ignore-file no-explicit-any

/** The part of `node:diagnostics_channel` that is used. */
interface Channels {
  subscribe(name: string, listener: (message: any) => void): void;
}

/** How many addresses are remembered. */
const MAX_ADDRESSES = 100;

/**
 * Why the last WebSocket to an address failed: an error, or the status of the answer; `undefined` for
 * one that has not failed.
 */
const failures = new Map<string, unknown>();
let isObserving = false;

/**
 * Remembers why WebSockets cannot connect on Node, which reports the reason only to diagnostics
 * channels.
 * @param channels Node's diagnostics channels.
 */
export function observeFailures(channels: Channels): void {
  isObserving = true;
  const on = (event: string, listener: (key: string, message: any) => void) =>
    channels.subscribe(`undici:request:${event}`, (message: any) => {
      const { origin, path, upgrade } = message.request;
      if (upgrade === "websocket") listener(`${origin}${path}`, message);
    });
  on("create", (key) => remember(key, undefined));
  on("error", (key, { error }) => remember(key, error));
  on("headers", (key, { response }) => {
    if (response.statusCode !== 101) remember(key, response.statusCode);
  });
}

/** Returns why the last WebSocket to an address failed on Node, if that is known. */
export function nodeFailure(url: URL): unknown {
  return failures.get(keyOf(url));
}

/** Whether Node sent no request for a WebSocket to this address: it blocks some ports, such as 6000. */
export function isBlockedByNode(url: URL): boolean {
  return isObserving && !failures.has(keyOf(url));
}

function keyOf({ protocol, host, pathname, search }: URL): string {
  return `${protocol.replace("ws", "http")}//${host}${pathname}${search}`;
}

function remember(key: string, failure: unknown): void {
  failures.set(key, failure);
  if (failures.size > MAX_ADDRESSES) failures.delete(failures.keys().next().value!);
}
