/** A place in a module. */
export interface CallSite {
  /** The module's path, or its address where it has no path. */
  file: string;
  /** The line, from 1. */
  line: number;
  /** The character in the line, from 1. */
  column: number;
}

/** The directory of the runner's own modules, which are never what a recipe's author wants to see. */
let own: string | undefined;

/** The frames of a stack outside of the runner, innermost first. */
export function callSites(stack: string | undefined): CallSite[] {
  own ??= pathOf(new URL("../", import.meta.url).href);
  const sites: CallSite[] = [];
  for (const line of (stack ?? "").split("\n")) {
    // V8 and JavaScriptCore both write `at name (file:line:column)`, or without the name.
    const match = /(?:\(|at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*?):(\d+):(\d+)\)?$/
      .exec(line.trim());
    if (!match) continue;
    const file = pathOf(match[1]!);
    if (file.startsWith(own) || file.includes("node:")) continue;
    sites.push({ file, line: Number(match[2]), column: Number(match[3]) });
  }
  return sites;
}

/** The place that called into the runner; in `file` where one of the frames is. */
export function callSite(file?: string): CallSite | undefined {
  const sites = callSites(new Error().stack);
  return sites.find((site) => site.file === file) ?? sites[0];
}

/** The path of a file's address. */
export function pathOf(address: string): string {
  if (!address.startsWith("file://")) return address;
  const path = decodeURIComponent(new URL(address).pathname);
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
}
