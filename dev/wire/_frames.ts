import { decodeGo, type GoStruct } from "../go/decode.ts";
import { goStringify } from "../go/encode.ts";
import type { Stamps } from "../go/time.ts";
import { ZERO_TIME } from "../go/time.ts";

/** A frame that came in. `data` is the JSON text as it was sent. */
export interface InFrame {
  id: string;
  type: string;
  method: string;
  token: string;
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
 * Decodes a message into a frame.
 * @throws {Error} With the server's words.
 */
export function decodeFrame(text: string): InFrame {
  return decodeGo(text, FRAME) as InFrame;
}

/** What a method answers: data as JSON text, or an error. */
export type Answer = { data: string } | { code: number; message: string };

/** Builds the frames a server sends, their members in its order. */
export class FrameWriter {
  readonly #stamps: Stamps;

  constructor(stamps: Stamps) {
    this.#stamps = stamps;
  }

  /** An answer to the request with this id. */
  answer(correlId: string, answer: Answer): string {
    const head = `{"id":"${this.#stamps.frameId()}","type":"`;
    const correl = correlId === "" ? "" : `,"correl_id":${goStringify(correlId)}`;
    const ts = `,"ts":"${this.#stamps.now()}"}`;
    if ("data" in answer) return `${head}response"${correl},"data":${answer.data}${ts}`;
    const error = goStringify({ code: answer.code, message: answer.message });
    return `${head}error"${correl},"error":${error}${ts}`;
  }

  /** An event. */
  event(channel: string, json: string): string {
    const where = channel === "" ? "" : `,"channel":${goStringify(channel)}`;
    const id = this.#stamps.frameId();
    return `{"id":"${id}","type":"event","data":${json}${where},"ts":"${this.#stamps.now()}"}`;
  }

  /** The answer to a ping. */
  pong(ping: InFrame): string {
    const correl = ping.id === "" ? "" : `,"correl_id":${goStringify(ping.id)}`;
    const ts = ping.ts ?? ZERO_TIME;
    return `{"id":"${this.#stamps.frameId()}","type":"pong"${correl},"ts":"${ts}"}`;
  }
}
