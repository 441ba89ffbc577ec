// deno-lint-ignore-file no-explicit-any

/** The part of `node:diagnostics_channel` that is used. */
interface Channels {
  subscribe(name: string, listener: (message: any) => void): void;
}

/** How many addresses are remembered. */
const MAX_ADDRESSES = 100;

/** Why the last WebSocket to an address failed: an error, or the status of the answer. */
const failures = new Map<string, unknown>();

/**
 * Remembers why WebSockets cannot connect on Node, which reports the reason only to diagnostics
 * channels.
 * @param channels Node's diagnostics channels.
 */
export function observeFailures(channels: Channels): void {
  const on = (event: string, listener: (key: string, message: any) => void) =>
    channels.subscribe(`undici:request:${event}`, (message: any) => {
      const { origin, path, upgrade } = message.request;
      if (upgrade === "websocket") listener(`${origin}${path}`, message);
    });
  on("create", (key) => failures.delete(key));
  on("error", (key, { error }) => remember(key, error));
  on("headers", (key, { response }) => {
    if (response.statusCode !== 101) remember(key, response.statusCode);
  });
}

/** Returns why the last WebSocket to an address failed on Node, if that is known. */
export function nodeFailure({ protocol, host, pathname, search }: URL): unknown {
  return failures.get(`${protocol.replace("ws", "http")}//${host}${pathname}${search}`);
}

function remember(key: string, failure: unknown): void {
  failures.set(key, failure);
  if (failures.size > MAX_ADDRESSES) failures.delete(failures.keys().next().value!);
}
