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

/** A client on a fake clock, a proxy, and a server behind it. */
export interface Faulty extends AsyncDisposable {
  proxy: FaultProxy;
  clock: FakeClock;
  client: Dispatch;
  status: Recorder<Status>;
  /** Waits for an attempt to be planned, and lets its time come. */
  attempt(number?: number): Promise<void>;
  /** Lets the next attempt come, and waits for the connection. */
  reconnected(): Promise<void>;
}

/**
 * Waits for a client to have asked a silent proxy for a WebSocket; gives the connection. Node's own
 * client opens another one when a request was aborted, and may ask on it later.
 *
 * @param known Those that were asked on before.
 */
export async function asked(
  proxy: FaultProxy,
  known: readonly ProxyConnection[] = [],
): Promise<ProxyConnection> {
  const isNew = (it: ProxyConnection) => it.received.toServer > 0 && !known.includes(it);
  await eventually(() => proxy.connections.some(isNew));
  return proxy.connections.find(isNew)!;
}

/** Connects a client on a fake clock to a server, with a proxy between them. */
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

/** The same with a scripted server. */
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
