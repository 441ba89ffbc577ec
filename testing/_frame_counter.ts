/** The part of a WebSocket stream that a byte belongs to. */
type Part = "handshake" | "head" | "payload";

/** The end of the handshake's HTTP headers. */
const HEAD_END = "\r\n\r\n";

/** Counts the whole WebSocket frames in one direction of a connection, after the handshake. */
export class FrameCounter {
  /** How many whole frames have passed. */
  frames = 0;
  #part: Part = "handshake";
  /** How many characters of {@linkcode HEAD_END} have matched. */
  #matched = 0;
  readonly #head: number[] = [];
  #left = 0;

  /**
   * Counts the frames in the next bytes of the stream.
   * @param limit The number of the frame to stop after.
   * @returns The end of that frame in `chunk`, or `undefined` if the limit is not reached.
   */
  count(chunk: Uint8Array, limit: number = Infinity): number | undefined {
    for (let at = 0; at < chunk.length;) {
      if (this.frames >= limit) return at;
      if (this.#part === "handshake") this.#handshake(chunk[at++]!);
      else if (this.#part === "head") this.#headByte(chunk[at++]!);
      else {
        const step = Math.min(this.#left, chunk.length - at);
        at += step;
        this.#left -= step;
        if (this.#left === 0) this.#end();
      }
    }
    return this.frames >= limit ? chunk.length : undefined;
  }

  #handshake(byte: number): void {
    if (byte === HEAD_END.charCodeAt(this.#matched)) this.#matched++;
    else this.#matched = byte === HEAD_END.charCodeAt(0) ? 1 : 0;
    if (this.#matched === HEAD_END.length) this.#part = "head";
  }

  #headByte(byte: number): void {
    const head = this.#head;
    head.push(byte);
    if (head.length < 2) return;
    const short = head[1]! & 0x7f;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    const maskBytes = (head[1]! & 0x80) === 0 ? 0 : 4;
    if (head.length < 2 + lengthBytes + maskBytes) return;
    this.#left = lengthBytes === 0
      ? short
      : head.slice(2, 2 + lengthBytes).reduce((sum, each) => sum * 256 + each, 0);
    head.length = 0;
    this.#part = "payload";
    if (this.#left === 0) this.#end();
  }

  #end(): void {
    this.frames++;
    this.#part = "head";
  }
}
