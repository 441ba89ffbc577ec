/** A request to the admin API. */
export interface AdminRequest {
  /** The id in the path, or an empty text if the route has none. */
  readonly id: string;
  /** The parameters after the path. */
  readonly query: URLSearchParams;
  /** Reads a header. */
  header(name: string): string | null;
}

/** A route of the admin API. */
export interface AdminRoute {
  readonly method: string;
  /** The segments of its path below the base; `:id` stands for any segment. */
  readonly path: readonly string[];
  serve(request: AdminRequest): Response;
}

/** Creates a route from a method and a path such as `GET /jobs/:id`. */
export function adminRoute(
  route: `${"GET" | "POST" | "DELETE"} /${string}`,
  serve: AdminRoute["serve"],
): AdminRoute {
  const [method, path] = route.split(" ") as [string, string];
  return { method, path: path.slice(1).split("/"), serve };
}

/**
 * Finds the response to a request, as the router of a Go server does: literal segments win over
 * `:id`, and slashes at the end are ignored. Doubled slashes redirect; but the first `:id` at which
 * they are takes the rest of the path, of which its value is the last segment.
 *
 * @param base The path above all routes.
 * @returns `undefined` if no route has the path.
 */
export function respond(
  routes: readonly AdminRoute[],
  base: string,
  { method, url, headers }: Request,
): Response | undefined {
  const { pathname, search, searchParams: query } = new URL(url);
  const path = goPath(pathname).replace(/\/+$/, "");
  const known = routesAt(routes, base, path);
  const route = known.find((route) => route.method === method);
  if (route) {
    const id = route.path.includes(":id") ? idIn(route, path.slice(base.length + 1)) : "";
    return route.serve({ id, query, header: (name) => headers.get(name) });
  }
  const clean = path.replaceAll(/\/{2,}/g, "/");
  if (clean !== path && routesAt(routes, base, clean).some((route) => route.method === method)) {
    return redirect(method, clean + search);
  }
  // Below an id, a Go server answers 404 to a wrong method, and not 405.
  const isKnown = known.some(({ path }) => !path.includes(":id") || path.at(-1) === ":id");
  return isKnown ? new Response(null, { status: 405 }) : undefined;
}

/** Finds the routes of a path, the most literal ones first. */
function routesAt(routes: readonly AdminRoute[], base: string, path: string): AdminRoute[] {
  if (!path.startsWith(`${base}/`)) return [];
  const segments = path.slice(base.length + 1).split("/");
  const literal = routes.filter(({ path }) => path.join() === segments.join());
  return [...literal, ...routes.filter(({ path }) => matchesWithId(path, segments))];
}

/** Whether a path with an `:id` matches the segments of a request's path. */
function matchesWithId(path: readonly string[], segments: readonly string[]): boolean {
  const at = path.indexOf(":id");
  if (at < 0 || segments.length <= at) return false;
  const takesRest = segments[at] === "" && at === path.length - 1;
  return (takesRest || path.length === segments.length) &&
    path.every((part, i) =>
      part === segments[i] || (i === at && (takesRest || segments[i] !== ""))
    );
}

function idIn({ path }: AdminRoute, rest: string): string {
  const segments = rest.split("/");
  const at = path.indexOf(":id");
  return segments[at] || segments.at(-1)!;
}

/** Decodes a path as Go does: not at all, if encoding it again would give another text. */
function goPath(path: string): string {
  try {
    const decoded = decodeURIComponent(path);
    const encoded = encodeURIComponent(decoded)
      .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
      .replace(/%(?:2[46BCF]|3[ABD]|40)/g, decodeURIComponent);
    return encoded === path ? decoded : path;
  } catch {
    // It is not valid UTF-8.
    return path;
  }
}

function redirect(method: string, location: string): Response {
  const headers = { Location: location };
  if (method !== "GET") return new Response(null, { status: 301, headers });
  const text = `<a href="${location.replaceAll("&", "&amp;")}">Moved Permanently</a>.\n\n`;
  const type = "text/html; charset=utf-8";
  return new Response(text, { status: 301, headers: { ...headers, "Content-Type": type } });
}
