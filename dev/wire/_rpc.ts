import type { Context } from "hono";
import { CanceledError } from "../engine/errors.ts";
import { decodeUtf8 } from "../go/utf8.ts";
import { MAX_MESSAGE_BYTES } from "../listen/socket.ts";
import { type Authenticate, hasScope, requiredScope } from "../tokens.ts";
import { type ClientFrame, decodeFrame, FrameWriter, type MethodResult } from "./_frames.ts";
import type { ServerParts } from "./method.ts";
import { callMethod } from "./methods.ts";

/** Handles an RPC request: one frame in, one frame out. */
export async function handleRpc(
  c: Context,
  server: ServerParts,
  authenticate: Authenticate,
): Promise<Response> {
  const { quirks, timestamps } = server.state;
  const frames = new FrameWriter(timestamps);
  const respond = (correlId: string, result: MethodResult) =>
    new Response(frames.response(correlId, result), {
      status: "data" in result ? 200 : result.code,
      headers: { "Content-Type": "application/json" },
    });
  const contentType = c.req.header("Content-Type") ?? "";
  let frame: ClientFrame;
  try {
    const text = await readText(c.req.raw);
    frame = decodeBody(text, contentType, quirks["strict-content-type"]);
  } catch (error) {
    if (error instanceof BodyTooLargeError) {
      return respond("", { code: 413, message: "request body too large" });
    }
    return respond("", { code: 400, message: "invalid request body" });
  }
  const header = c.req.header("Authorization") ?? "";
  const token = quirks["bare-authorization"] ? header : header.replace(/^Bearer /i, "");
  const identity = authenticate(frame.token || token);
  if (!identity) return respond(frame.id, { code: 401, message: "unauthorized" });
  const scope = requiredScope(frame.method);
  if (scope !== "" && !hasScope(identity, scope)) {
    return respond(frame.id, { code: 403, message: "forbidden" });
  }
  const { app = "", org = "" } = identity;
  const controller = new AbortController();
  const end = () => controller.abort(new CanceledError());
  const caller = { tenant: { app, org }, signal: controller.signal };
  const result = callMethod(server, frame, caller);
  if (!(result instanceof Promise)) {
    end();
    return respond(frame.id, result);
  }
  // Deno prints a warning if the signal is read and the request succeeds, so it is read only now.
  const { signal } = c.req.raw;
  signal.addEventListener("abort", end, { once: true });
  try {
    return respond(frame.id, await result);
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}

class BodyTooLargeError extends Error {}

/** Reads the body of a request, which may not be longer than a message on a WebSocket. */
async function readText(request: Request): Promise<string> {
  const length = request.headers.get("Content-Length");
  if (Number(length) > MAX_MESSAGE_BYTES) throw new BodyTooLargeError();
  if (length !== null || !request.body) {
    return decodeUtf8(new Uint8Array(await request.arrayBuffer()));
  }
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.length;
    if (bytes > MAX_MESSAGE_BYTES) throw new BodyTooLargeError();
    chunks.push(chunk);
  }
  return decodeUtf8(new Uint8Array(await new Blob(chunks).arrayBuffer()));
}

/** Decodes a request's body as a Go server does, which ignores what follows the JSON value. */
function decodeBody(text: string, contentType: string, isStrict: boolean): ClientFrame {
  const type = isStrict ? contentType : contentType.split(";")[0]!.trim().toLowerCase();
  if (type === "application/x-www-form-urlencoded") return decodeFrame("{}");
  if (type !== "" && type !== "application/json") throw new Error(`no binding for ${type}`);
  try {
    return decodeFrame(text);
  } catch (error) {
    const end = endOfObject(text);
    if (end === undefined || end === text.length) throw error;
    return decodeFrame(text.slice(0, end));
  }
}

/** Returns the end of the JSON object that a text starts with. */
function endOfObject(text: string): number | undefined {
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
