// deno-lint-ignore-file no-explicit-any

/**
 * Reads standard input to its end.
 * @param maximum The most bytes it may have.
 * @throws {Error} If it is longer, or not UTF-8 text.
 */
export async function readStandardInput(maximum: number): Promise<string> {
  const { Deno, Bun, process } = globalThis as any;
  const chunks: AsyncIterable<Uint8Array> = Deno
    ? Deno.stdin.readable
    : Bun
    ? Bun.stdin.stream()
    : process.stdin;
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
  const decode = (chunk?: Uint8Array) => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
    } catch (cause) {
      throw new Error("standard input is not UTF-8 text", { cause });
    }
  };
  let [text, size] = ["", 0];
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maximum) throw new Error(`standard input is larger than ${maximum >> 20} MiB`);
    text += decode(chunk);
  }
  return text + decode();
}
