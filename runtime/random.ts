/**
 * Creates a random number generator that returns the same numbers for the same seed, on every
 * runtime: at least 0, less than 1.
 */
export function seededRandom(seed: number): () => number {
  // The algorithm is mulberry32: small, and even enough for test data.
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
