import { isEmbedded } from "../../runtime/embedded.ts";

/** A place in a module. */
export interface CallSite {
  /** The path of the module, or its address if it is not a file. */
  file: string;
  /** The line, from 1. */
  line: number;
  /** The column in characters, from 1. */
  column: number;
}

/** The directories of the runner's own modules, and of those it uses. */
let ownDirectories: string[] | undefined;

/** Returns the frames of a stack that lie outside the runner, innermost first. */
export function callSites(stack: string | undefined): CallSite[] {
  ownDirectories ??= findOwnDirectories();
  const sites: CallSite[] = [];
  for (const line of (stack ?? "").split("\n")) {
    // V8 and JavaScriptCore write `at name (file:line:column)`, or omit the name.
    const match = /(?:\(|at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*?):(\d+):(\d+)\)?$/
      .exec(line.trim());
    if (!match) continue;
    const file = pathOf(match[1]!);
    if (file.includes("node:") || isEmbedded(file)) continue;
    if (ownDirectories.some((own) => file.startsWith(own))) continue;
    sites.push({ file, line: Number(match[2]), column: Number(match[3]) });
  }
  return sites;
}

function findOwnDirectories(): string[] {
  // Seen from inside an executable, the user's own directory could be `../../runner/`.
  if (isEmbedded(pathOf(import.meta.url))) return [];
  return ["client", "dev", "protocol", "runner", "runtime"]
    .map((room) => pathOf(new URL(`../../${room}/`, import.meta.url).href));
}

/** Returns the place that has called into the runner; preferably one in `file`. */
export function callSite(file?: string): CallSite | undefined {
  const sites = callSites(new Error().stack);
  return sites.find((site) => site.file === file) ?? sites[0];
}

/** Returns the path of a `file:` address, and any other address unchanged. */
export function pathOf(address: string): string {
  if (!address.startsWith("file://")) return address;
  const path = decodeURIComponent(new URL(address).pathname);
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
}
