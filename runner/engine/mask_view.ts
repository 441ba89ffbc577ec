/**
 * Bytes that a text stands for when it is read in one way, such as base64, and the part of the text
 * that each byte comes from.
 */
export class MaskView {
  /** The bytes. Text is UTF-8. */
  readonly bytes: Uint8Array;
  #from: Uint32Array | undefined;
  #to: Uint32Array | undefined;

  /** Creates a view. Without offsets, the byte `i` comes from the character `i`. */
  constructor(bytes: Uint8Array, from?: Uint32Array, to?: Uint32Array) {
    this.bytes = bytes;
    this.#from = from;
    this.#to = to;
  }

  /** Returns the text itself as bytes. */
  static ofText(text: string): MaskView {
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return MaskView.#ofUnicode(text);
      bytes[i] = code;
    }
    return new MaskView(bytes);
  }

  static #ofUnicode(text: string): MaskView {
    const builder = new MaskViewBuilder(text.length * 3);
    for (let i = 0; i < text.length;) {
      const code = text.codePointAt(i)!;
      const end = i + (code > 0xffff ? 2 : 1);
      builder.pushCode(code, i, end);
      i = end;
    }
    return builder.view();
  }

  /** The number of bytes. */
  get length(): number {
    return this.bytes.length;
  }

  /** Returns the offset in the text at which a byte begins. */
  from(i: number): number {
    return this.#from ? this.#from[i]! : i;
  }

  /** Returns the offset in the text at which a byte ends. */
  to(i: number): number {
    return this.#to ? this.#to[i]! : i + 1;
  }

  /** Whether a byte is a zero of the text, and not the end of a part. */
  isZero(i: number): boolean {
    return this.bytes[i] === 0 && this.to(i) > 0;
  }
}

/** Collects the bytes of a {@linkcode MaskView}. */
export class MaskViewBuilder {
  #bytes: Uint8Array;
  #from: Uint32Array;
  #to: Uint32Array;
  #length = 0;

  /** Makes room for `size` bytes. */
  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
    this.#from = new Uint32Array(size);
    this.#to = new Uint32Array(size);
  }

  /** Adds a byte that comes from a range of the text. */
  push(byte: number, from: number, to: number): void {
    this.#bytes[this.#length] = byte;
    this.#from[this.#length] = from;
    this.#to[this.#length++] = to;
  }

  /** Adds bytes of a view as they are. */
  pushFrom(view: MaskView, start: number, end: number): void {
    for (let i = start; i < end; i++) this.push(view.bytes[i]!, view.from(i), view.to(i));
  }

  /** Adds the UTF-8 bytes of a character. A lone surrogate takes three bytes. */
  pushCode(code: number, from: number, to: number): void {
    if (code < 0x80) return this.push(code, from, to);
    const more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    this.push([0xc0, 0xe0, 0xf0][more - 1]! | code >> 6 * more, from, to);
    for (let i = more - 1; i >= 0; i--) this.push(0x80 | code >> 6 * i & 63, from, to);
  }

  /** Ends a part that is not next to the following one in the text. No form of a secret begins or ends with this byte. */
  pushEnd(): void {
    this.push(0, 0, 0);
  }

  /** Returns the bytes so far. */
  view(): MaskView {
    return new MaskView(
      this.#bytes.subarray(0, this.#length),
      this.#from.subarray(0, this.#length),
      this.#to.subarray(0, this.#length),
    );
  }
}
