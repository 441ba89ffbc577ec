/** The name and version of the runtime. */
export function runtime(): string {
  // deno-lint-ignore no-explicit-any
  const { Deno, Bun, process } = globalThis as any;
  if (Deno) return `Deno ${Deno.version.deno}`;
  if (Bun) return `Bun ${Bun.version}`;
  return `Node ${process.versions.node}`;
}

/** Returns the value of `--name value` on the command line. */
export function option(name: string): string | undefined {
  // deno-lint-ignore no-explicit-any
  const { Deno, process } = globalThis as any;
  const args: string[] = Deno ? Deno.args : process.argv.slice(2);
  const at = args.indexOf(`--${name}`);
  return at < 0 ? undefined : args[at + 1];
}

/** Measures how long something takes, in milliseconds. */
export async function time(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** Returns the median of some numbers. */
export function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/**
 * Compares two ways of doing the same, by turns, so that both run under the same conditions. The ratio
 * is the median of the ratios of the rounds: something that slows the machine down for a while affects
 * both times of a round.
 */
export async function alternate(
  rounds: number,
  ours: () => Promise<unknown>,
  bare: () => Promise<unknown>,
): Promise<{ ours: number; bare: number; ratio: number }> {
  await ours();
  await bare();
  const times: { ours: number[]; bare: number[] } = { ours: [], bare: [] };
  for (let i = 0; i < rounds; i++) {
    // The second one meets a warmer server, so the order alternates.
    if (i % 2 === 0) times.ours.push(await time(ours));
    times.bare.push(await time(bare));
    if (i % 2 === 1) times.ours.push(await time(ours));
  }
  const ratio = median(times.ours.map((ours, i) => times.bare[i]! / ours));
  return { ours: median(times.ours), bare: median(times.bare), ratio };
}

/** Runs work a number of times, with up to `window` runs at a time. */
export async function inFlight(
  total: number,
  window: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < total) await work(next++);
  };
  await Promise.all(Array.from({ length: window }, worker));
}

/** Returns the bytes in use, after a garbage collection if the runtime can be asked for one. */
export function heapUsed(): number {
  // deno-lint-ignore no-explicit-any
  const { Deno, Bun, process, gc } = globalThis as any;
  Bun?.gc(true);
  gc?.();
  return (Deno ? Deno.memoryUsage() : process.memoryUsage()).heapUsed;
}

/** Prints a row of a Markdown table. */
export function row(...cells: (string | number)[]): void {
  // deno-lint-ignore no-console
  console.log(`| ${cells.join(" | ")} |`);
}
