/** Longer words are not misspelt names. */
const LONGEST = 100;
/** How many candidates are compared, so that thousands of mistakes do not take long. */
const MOST = 300;

/**
 * The candidate that a misspelt word most likely means. Up to a third of the letters may be
 * transposed, missing, added or wrong.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  if (word.length > LONGEST) return undefined;
  const lower = word.toLowerCase();
  let left = MOST;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    if (left-- === 0) break;
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** The hint `did you mean` with the nearest candidate; `undefined` if none is near enough. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const found = suggest(word, candidates);
  return found === undefined ? undefined : `did you mean \`${found}\`?`;
}

/** The optimal string alignment distance: Levenshtein's, with transpositions counted as one. */
function editDistance(a: string, b: string): number {
  let older: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, older[j - 2]! + 1);
      }
      current.push(best);
    }
    older = previous;
    previous = current;
  }
  return previous[b.length]!;
}
