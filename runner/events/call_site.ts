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
  return (stack ?? "").split("\n").flatMap((line) => {
    const site = siteOfFrame(line);
    return site && !site.file.includes("node:") && !isRunnerFile(site.file) ? [site] : [];
  });
}

/** Returns the place that a line of a stack names, if it is in a file. */
export function siteOfFrame(line: string): CallSite | undefined {
  // V8 and JavaScriptCore write `at name (file:line:column)`, or omit the name.
  const match = /(?:\(|at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*?):(\d+):(\d+)\)?$/
    .exec(line.trim());
  if (!match) return undefined;
  return { file: pathOf(match[1]!), line: Number(match[2]), column: Number(match[3]) };
}

/** Returns whether a file is a module of the runner, or one that the runner uses. */
export function isRunnerFile(file: string): boolean {
  ownDirectories ??= findOwnDirectories();
  return isEmbedded(file) || ownDirectories.some((own) => file.startsWith(own));
}

function findOwnDirectories(): string[] {
  // Seen from inside an executable, the user's own directory could be `../../runner/`.
  if (isEmbedded(pathOf(import.meta.url))) return [];
  return ["client", "dev", "protocol", "runner", "runtime"]
    .map((room) => pathOf(new URL(`../../${room}/`, import.meta.url).href));
}

/** Returns the place that has called into the runner; with a `file`, the innermost one in it. */
export function callSite(file?: string, { stack } = new Error()): CallSite | undefined {
  return callSites(stack).find((site) => file === undefined || site.file === file);
}

/**
 * Returns the path of a `file:` address, and any other address unchanged, without the number with
 * which a module is loaded anew.
 */
export function pathOf(address: string): string {
  if (!address.startsWith("file://")) return address.replace(/\?version=\d+$/, "");
  const path = decodeURIComponent(new URL(address).pathname);
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
}
