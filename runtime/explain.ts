import { nearestName, shown } from "./check_options.ts";
import { explainStatus } from "./connect_failure.ts";

export { explainFailure } from "./connect_failure.ts";

// These functions make error messages more helpful. In a bundle for browsers the small file
// `explain_browser.ts` takes the place of this one, see `browser` in `package.json`.

/**
 * Returns which name is meant, or which names there are: the text after "there is no option 'x'".
 */
export function explainName(name: string, rules: object): string | undefined {
  const names = Object.keys(rules);
  const meant = nearestName(name, names);
  return meant === undefined ? `; there are ${names.join(", ")}` : `; did you mean '${meant}'?`;
}

/** Returns the value of an option for the message "'x' must be …", without what may be secret. */
export function explainValue(name: string, value: unknown): string | undefined {
  // The caller of `enqueueMany` passes 0 for whatever is not iterable.
  if (name === "token" || name === "payloads") return "";
  const hook = name === "hooks" ? wrongHook(value) : undefined;
  if (hook !== undefined) return `: ${hook}`;
  const methods = METHODS[name];
  if (methods && typeof value === "object") return ` with the methods ${methods.join(", ")}`;
  // An address may have a password before the host, or a key in the query.
  const isAddress = name === "url" && typeof value === "string";
  return `, not ${shown(isAddress ? value.replace(/.*@|[?#].*/g, "") : value)}`;
}

const METHODS: Readonly<Record<string, readonly string[]>> = {
  clock: ["now", "setTimeout", "clearTimeout"],
  signal: ["addEventListener", "removeEventListener"],
};

/**
 * Whether the object given as an option is another one: an `AbortController` is not a signal, and
 * hooks have known names.
 */
export function lacksMethods(option: string, value: Readonly<Record<string, unknown>>): boolean {
  if (option === "hooks") return wrongHook(value) !== undefined;
  return METHODS[option]?.some((method) => typeof value[method] !== "function") ?? false;
}

const HOOKS: readonly string[] = ["request"];

/** Finds a hook that is never called; returns what is wrong with it. */
function wrongHook(hooks: unknown): string | undefined {
  if (typeof hooks !== "object" || Array.isArray(hooks)) return undefined;
  for (const [name, hook] of Object.entries(hooks ?? {})) {
    if (hook === undefined) continue;
    if (!HOOKS.includes(name)) {
      const meant = nearestName(name, HOOKS);
      return `there is no hook '${name}'; ` +
        (meant === undefined ? `the hooks are ${HOOKS.join(", ")}` : `did you mean '${meant}'?`);
    }
    if (typeof hook !== "function") return `'${name}' must be a function, not ${shown(hook)}`;
  }
}

/**
 * Returns why an answer may not be one of Dispatch, the text after "answered 404": where it
 * redirects to, or what its status means. Redirects are not followed.
 */
export function explainAnswer({ headers, status }: Response, url: URL): string | undefined {
  const location = headers.get("Location")?.replace(/[?#].*/, "");
  // Other answers may name an address, too: 201 that of what was created.
  return location && status >= 300 && status < 400
    ? `: a redirect to '${location}', which the client does not follow`
    : explainStatus(status, url);
}

/** Finds the BigInt or the circular reference that makes a value unserializable. */
export function findUnserializable(value: unknown): string | undefined {
  return find(value, "", []);
}

function find(value: unknown, path: string, parents: readonly unknown[]): string | undefined {
  const where = path ? ` at \`${path}\`` : "";
  if (typeof value === "bigint") return `a BigInt${where}`;
  if (parents.includes(value)) return `a circular reference${where}`;
  if (typeof value !== "object" || value === null || parents.length > 50) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const below = Array.isArray(value) ? `${path}[${key}]` : path ? `${path}.${key}` : key;
    const found = find(item, below, [...parents, value]);
    if (found) return found;
  }
}
