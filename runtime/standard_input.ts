// deno-lint-ignore-file no-explicit-any

/**
 * Reads standard input to its end.
 * @param maximum The most bytes it may have.
 * @throws {Error} If it is longer.
 */
export async function readStandardInput(maximum: number): Promise<string> {
  const { Deno, Bun, process } = globalThis as any;
  const chunks: AsyncIterable<Uint8Array> = Deno
    ? Deno.stdin.readable
    : Bun
    ? Bun.stdin.stream()
    : process.stdin;
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let [text, size] = ["", 0];
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maximum) throw new Error(`standard input is larger than ${maximum >> 20} MiB`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
