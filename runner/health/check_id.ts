/** The longest `id` without its number, in characters. */
const MOST = 60;

/**
 * Makes an `id` for addresses from a name: `Order smoke (eu)` becomes `order-smoke-eu`. If it is taken,
 * a number follows.
 */
export function freeId(name: string, isTaken: (id: string) => boolean): string {
  const words = name.normalize("NFKD").toLowerCase().match(/[a-z0-9]+/g) ?? ["check"];
  const base = words.join("-").slice(0, MOST).replace(/-$/, "");
  for (let number = 1;; number++) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!isTaken(id)) return id;
  }
}
