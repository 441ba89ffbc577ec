import { type Context, Hono } from "hono";
import type { Subscriber } from "./broker.ts";
import { CanceledError } from "../engine/server_state.ts";
import { type Answer, decodeFrame, FrameWriter, type InFrame } from "./_frames.ts";
import { channelProblem, type Engines, serveMethod } from "./methods.ts";
import { addFaultRoutes } from "../faults/fault_routes.ts";
import type { Faults } from "../faults/fault.ts";
import type { Authenticate } from "./session.ts";
import { handshakeResponse, NO_UPGRADE } from "../listen/socket.ts";
import { hasScope, requiredScope, type TokenOptions } from "../tokens.ts";

/** What the HTTP endpoints need. */
export interface AppOptions {
  engines: Engines;
  authenticate: Authenticate;
  /** The path they are below. */
  path: string;
  faults: Faults;
}

/** The HTTP endpoints: RPC and SSE. */
export function createApp(options: AppOptions): Hono {
  const { engines, authenticate, path, faults } = options;
  const app = new Hono({ strict: false });
  addFaultRoutes(app, `${path}/faults`, faults, authenticate);
  app.post(`${path}/rpc`, (c) => rpc(c, engines, authenticate));
  app.get(`${path}/sse`, (c) => sse(c, engines, authenticate));
  // An adapter has answered what asks to become a WebSocket.
  app.get(path, () => handshakeResponse(NO_UPGRADE));
  for (const route of [path, `${path}/rpc`, `${path}/sse`]) {
    app.all(route, () => new Response(null, { status: 405 }));
  }
  const sniff = { "X-Content-Type-Options": "nosniff" };
  app.notFound(() =>
    handshakeResponse({ status: 404, text: "404 page not found\n", headers: sniff })
  );
  return app;
}

async function rpc(
  c: Context,
  engines: Engines,
  authenticate: Authenticate,
): Promise<Response> {
  const { core } = engines;
  const frames = new FrameWriter(core.stamps);
  const respond = (correlId: string, answer: Answer) =>
    new Response(frames.answer(correlId, answer), {
      status: "data" in answer ? 200 : answer.code,
      headers: { "Content-Type": "application/json" },
    });
  const contentType = c.req.header("Content-Type") ?? "";
  const text = await c.req.text();
  let frame: InFrame;
  try {
    frame = decodeBody(text, contentType, core.quirks["strict-content-type"]);
  } catch {
    return respond("", { code: 400, message: "invalid request body" });
  }
  const header = c.req.header("Authorization") ?? "";
  const bare = core.quirks["bare-authorization"] ? header : header.replace(/^Bearer /i, "");
  const identity = authenticate(frame.token || bare);
  if (!identity) return respond(frame.id, { code: 401, message: "unauthorized" });
  const scope = requiredScope(frame.method);
  if (scope !== "" && !hasScope(identity, scope)) {
    return respond(frame.id, { code: 403, message: "forbidden" });
  }
  const life = new AbortController();
  const end = () => life.abort(new CanceledError());
  const caller = { tenant: tenantOf(identity), signal: life.signal };
  const answer = serveMethod(engines, frame, caller);
  if (!(answer instanceof Promise)) {
    end();
    return respond(frame.id, answer);
  }
  // Only now, since Deno warns whoever has asked a request that succeeds for its signal.
  const { signal } = c.req.raw;
  signal.addEventListener("abort", end, { once: true });
  try {
    return respond(frame.id, await answer);
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}

/** A body is bound by its content type; what follows the JSON value is not looked at. */
function decodeBody(text: string, contentType: string, strict: boolean): InFrame {
  const type = strict ? contentType : contentType.split(";")[0]!.trim().toLowerCase();
  if (type === "application/x-www-form-urlencoded") return decodeFrame("{}");
  if (type !== "" && type !== "application/json") throw new Error(`no binding for ${type}`);
  try {
    return decodeFrame(text);
  } catch (error) {
    const end = endOfFirstValue(text);
    if (end === undefined || end === text.length) throw error;
    return decodeFrame(text.slice(0, end));
  }
}

function endOfFirstValue(text: string): number | undefined {
  const start = text.search(/\S/);
  if (start < 0 || text[start] !== "{") return undefined;
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (inString) {
      if (char === "\\") at++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === "{" || char === "[") depth++;
    else if ((char === "}" || char === "]") && --depth === 0) return at + 1;
  }
}

function sse(c: Context, engines: Engines, authenticate: Authenticate): Response {
  const { core } = engines;
  const identity = authenticate(c.req.query("token") ?? "");
  const channel = c.req.query("channel") ?? "";
  const refusal = !identity
    ? 401
    : channel === ""
    ? 400
    : !hasScope(identity, "subscribe")
    ? 403
    : undefined;
  const strict = !core.quirks["sse-always-200"];
  if (strict && refusal !== undefined) return new Response(null, { status: refusal });
  if (strict && channelProblem(channel) !== undefined) return new Response(null, { status: 400 });
  const stream = refusal === undefined
    ? events(engines, tenantOf(identity!), channel)
    : new Blob([RETRY]).stream();
  return new Response(stream, {
    headers: {
      "Cache-Control": "no-cache",
      "Connection": "keep-alive",
      "Content-Type": "text/event-stream",
      "X-Accel-Buffering": "no",
    },
  });
}

const RETRY = "retry: 3000\n\n";

/** A channel's events as a stream, until the client is gone or the server is closed. */
function events(
  engines: Engines,
  tenant: { app: string; org: string },
  channel: string,
): ReadableStream<Uint8Array> {
  const { broker } = engines.core;
  const encoder = new TextEncoder();
  let subscriber: Subscriber;
  let end = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(RETRY));
      subscriber = broker.add(tenant);
      broker.subscribe(subscriber, channel);
      subscriber.onEvents = () => queueMicrotask(() => flush());
      subscriber.onFull = () => flush();
      const flush = () => {
        for (const { type, json } of subscriber.buffer.splice(0)) {
          controller.enqueue(encoder.encode(`event: ${type}\ndata: ${json}\n\n`));
        }
      };
      const finish = () => {
        end();
        controller.close();
      };
      end = () => {
        end = () => {};
        subscriber.onEvents = () => {};
        broker.remove(subscriber);
        subscriber.buffer.length = 0;
        engines.signal.removeEventListener("abort", finish);
      };
      engines.signal.addEventListener("abort", finish, { once: true });
    },
    cancel: () => end(),
  });
}

function tenantOf({ app = "", org = "" }: TokenOptions): { app: string; org: string } {
  return { app, org };
}
