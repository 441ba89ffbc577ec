/** Which runtime this is, with its version. */
export function runtime(): string {
  // deno-lint-ignore no-explicit-any
  const { Deno, Bun, process } = globalThis as any;
  if (Deno) return `Deno ${Deno.version.deno}`;
  if (Bun) return `Bun ${Bun.version}`;
  return `Node ${process.versions.node}`;
}

/** The value of `--name value` on the command line. */
export function option(name: string): string | undefined {
  // deno-lint-ignore no-explicit-any
  const { Deno, process } = globalThis as any;
  const args: string[] = Deno ? Deno.args : process.argv.slice(2);
  const at = args.indexOf(`--${name}`);
  return at < 0 ? undefined : args[at + 1];
}

/** How long something took, in milliseconds. */
export async function time(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** The middle of some numbers. */
export function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/**
 * What two ways of doing the same cost, measured in turns so that both meet the same machine. The
 * ratio is the middle of the turns' own: what slows the machine for a while slows both of a turn.
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
    // Whoever goes second meets a warmer server, so the turns change.
    if (i % 2 === 0) times.ours.push(await time(ours));
    times.bare.push(await time(bare));
    if (i % 2 === 1) times.ours.push(await time(ours));
  }
  const ratio = median(times.ours.map((ours, i) => times.bare[i]! / ours));
  return { ours: median(times.ours), bare: median(times.bare), ratio };
}

/** Runs work a number of times, with some of it under way at once. */
export async function inFlight(
  total: number,
  window: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < total) await work(next++);
  };
  await Promise.all(Array.from({ length: window }, lane));
}

/** Bytes of memory in use after a collection, where the runtime lets one be asked for. */
export function heapUsed(): number {
  // deno-lint-ignore no-explicit-any
  const { Deno, Bun, process, gc } = globalThis as any;
  Bun?.gc(true);
  gc?.();
  return (Deno ? Deno.memoryUsage() : process.memoryUsage()).heapUsed;
}

/** Prints a row of a table. */
export function row(...cells: (string | number)[]): void {
  // deno-lint-ignore no-console
  console.log(`| ${cells.join(" | ")} |`);
}
