// Takes the place of `node:test` in a mutation host. It collects tests, so that the host can run any
// of them as often as it wants without loading their files again.

export interface CollectedTest {
  name: string;
  body: () => unknown;
}

export interface CollectedFile {
  tests: CollectedTest[];
  before: (() => unknown)[];
}

let current: CollectedFile = { tests: [], before: [] };

export function test(
  name: string,
  ...[options, body]: [() => unknown] | [{ skip?: boolean }, () => unknown]
): void {
  if (typeof options === "function") current.tests.push({ name, body: options });
  else if (!options.skip) current.tests.push({ name, body: body! });
}

export function before(body: () => unknown): void {
  current.before.push(body);
}

/** Does nothing: the host's end ends all that its tests have started. */
export function after(): void {}

/** Loads a test file, and returns its tests and `before` hooks. */
export async function collect(url: string): Promise<CollectedFile> {
  const file = current = { tests: [], before: [] };
  await import(url);
  return file;
}
