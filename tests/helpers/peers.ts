import { Dispatch, type DispatchOptions, type Status } from "../../mod.ts";
import {
  createFaultProxy,
  createScriptedServer,
  type FaultProxy,
  type ProxyConnection,
  type ScriptedPeer,
  type ScriptedServer,
  type ScriptedServerOptions,
} from "../../testing/mod.ts";
import { eventually, within } from "./eventually.ts";
import { FakeClock } from "./fake_clock.ts";
import { Recorder } from "./recorder.ts";
import { serve } from "./scripts.ts";

/** A client on a fake clock, connected through a proxy with faults. */
export interface Faulty extends AsyncDisposable {
  proxy: FaultProxy;
  clock: FakeClock;
  client: Dispatch;
  status: Recorder<Status>;
  /** Waits until an attempt to reconnect is scheduled, and moves the clock to it. */
  attempt(number?: number): Promise<void>;
  /** Moves the clock to the next attempt, and waits until the client is connected. */
  reconnected(): Promise<void>;
}

/**
 * Waits until a client has requested a WebSocket from a silent proxy, and returns the connection.
 * Node's HTTP client opens another connection when a request is aborted, and may use it later.
 *
 * @param known Connections with earlier requests.
 */
export async function asked(
  proxy: FaultProxy,
  known: readonly ProxyConnection[] = [],
): Promise<ProxyConnection> {
  const isNew = (it: ProxyConnection) => it.received.toServer > 0 && !known.includes(it);
  await eventually(() => proxy.connections.some(isNew));
  return proxy.connections.find(isNew)!;
}

/** Connects a client on a fake clock to a server through a proxy. */
export async function faulty(
  target: string,
  options: Partial<DispatchOptions> = {},
): Promise<Faulty> {
  const proxy = await createFaultProxy({ target });
  const clock = new FakeClock(Date.now());
  const client = new Dispatch({
    url: proxy.url,
    token: "demo-token",
    clock,
    random: () => 0.5,
    ...options,
  });
  const status = new Recorder(client.status());
  await within(client.connect(), "connecting");
  const attempt = async (number = 1): Promise<void> => {
    await eventually(() => status.of("reconnecting").length >= number);
    clock.advance(status.of("reconnecting")[number - 1]!.delay);
  };
  return {
    proxy,
    clock,
    client,
    status,
    attempt,
    async reconnected() {
      const before = status.of("connected").length;
      await attempt(status.of("reconnecting").length || 1);
      await eventually(() => status.of("connected").length > before);
    },
    async [Symbol.asyncDispose]() {
      await clock.runUntil(client.close(), 200);
      await proxy.close();
    },
  };
}

/** Connects a client on a fake clock to a scripted server through a proxy. */
export async function scripted(
  script: (peer: ScriptedPeer) => void | Promise<void> = serve,
  options: Partial<DispatchOptions> & { server?: ScriptedServerOptions } = {},
): Promise<Faulty & { server: ScriptedServer }> {
  const { server: serverOptions, ...clientOptions } = options;
  const server = await createScriptedServer(script, serverOptions);
  const it = await faulty(server.url, clientOptions);
  return {
    ...it,
    server,
    async [Symbol.asyncDispose]() {
      await it[Symbol.asyncDispose]();
      await server.close();
    },
  };
}
