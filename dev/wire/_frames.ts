import { decodeGo, type GoStruct } from "../go/decode.ts";
import { goStringify } from "../go/encode.ts";
import { ZERO_TIME } from "../go/time.ts";
import type { Timestamps } from "../engine/timestamps.ts";

/** A frame from a client. */
export interface ClientFrame {
  id: string;
  type: string;
  method: string;
  token: string;
  /** The JSON text as it was sent. */
  data: string | undefined;
  credits: number;
  ts: string | undefined;
}

const FRAME: GoStruct = {
  type: "dwp.Frame",
  fields: {
    id: "string",
    type: "string",
    method: "string",
    correl_id: "string",
    token: "string",
    app_id: "string",
    org_id: "string",
    data: "raw",
    error: {
      type: "dwp.ErrorDetail",
      fields: { code: "int", message: "string", details: "string" },
    },
    channel: "string",
    credits: "int",
    ts: "time",
  },
  typeNames: { type: "dwp.FrameType" },
};

/**
 * Decodes a JSON text as a frame.
 * @throws {Error} If it is not a frame; the message is Go's.
 */
export function decodeFrame(text: string): ClientFrame {
  return decodeGo(text, FRAME) as ClientFrame;
}

/** The result of a method: data as JSON text, or an error. */
export type MethodResult = { data: string } | { code: number; message: string };

/** Encodes the frames that a server sends. The members are in the order in which Go writes them. */
export class FrameWriter {
  readonly #timestamps: Timestamps;

  constructor(timestamps: Timestamps) {
    this.#timestamps = timestamps;
  }

  /** Encodes the response to the request with this id. */
  response(correlId: string, result: MethodResult): string {
    const head = `{"id":"${this.#timestamps.frameId()}","type":"`;
    const correl = correlId === "" ? "" : `,"correl_id":${goStringify(correlId)}`;
    const ts = `,"ts":"${this.#timestamps.now()}"}`;
    if ("data" in result) return `${head}response"${correl},"data":${result.data}${ts}`;
    const error = goStringify({ code: result.code, message: result.message });
    return `${head}error"${correl},"error":${error}${ts}`;
  }

  /** Encodes an event; `json` is its envelope. */
  event(channel: string, json: string): string {
    const member = channel === "" ? "" : `,"channel":${goStringify(channel)}`;
    const id = this.#timestamps.frameId();
    const ts = this.#timestamps.now();
    return `{"id":"${id}","type":"event","data":${json}${member},"ts":"${ts}"}`;
  }

  /** Encodes the response to a ping. */
  pong(ping: ClientFrame): string {
    const correl = ping.id === "" ? "" : `,"correl_id":${goStringify(ping.id)}`;
    const ts = ping.ts ?? ZERO_TIME;
    return `{"id":"${this.#timestamps.frameId()}","type":"pong"${correl},"ts":"${ts}"}`;
  }
}
