/**
 * Whether a path lies in an executable that `bun build --compile` has made: Bun calls the modules in
 * it `/$bunfs/root/…`, and on Windows `B:\~BUN\root\…`.
 */
export function isEmbedded(path: string): boolean {
  return /^(?:\/\$bunfs|[A-Z]:[\\/]~BUN)[\\/]/i.test(path);
}
