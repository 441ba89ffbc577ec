import { isEmbedded } from "../../runtime/embedded.ts";
import { type Invocation, invocation } from "../../runtime/invocation.ts";
import { PROGRAM } from "./command.ts";

/** How the package is called without being installed, by what calls it. */
const PACKAGE = "@dispatch/sdk";

/**
 * Returns how to call this program again as it was called, for hints and examples: the name of an
 * installed command, or what stands before its arguments, such as `deno run -A runner.ts`.
 */
export function programName(call: Invocation = invocation()): string {
  if (call.runtime === "deno") return denoName(call);
  return call.runtime === "bun" ? bunName(call) : nodeName(call);
}

function denoName(call: Invocation): string {
  const installed = installedName(call);
  if (installed !== undefined) return installed;
  const { main } = call;
  if (main === undefined || /^https?:.*\/@dispatch\/sdk\//.test(main)) {
    return `deno run -A jsr:${PACKAGE}/cli`;
  }
  const path = main.startsWith("file:") ? localPath(main) : main;
  return `deno run -A ${shellWord(shortPath(path, call))}`;
}

/**
 * The name under which `deno install -g` has installed the program. Its script `bin/NAME` runs Deno
 * with the configuration `bin/.NAME/deno.json`.
 */
function installedName({ words, env, exists }: Invocation): string | undefined {
  const configured = words[words.indexOf("--config") + 1] ?? "";
  const [, name] = /[\\/]\.([^\\/]+)[\\/]deno\.jsonc?$/.exec(configured) ?? [];
  if (words.includes("--config") && name !== undefined) return name;
  // Shells put the path of what they start into `_`. Other programs pass on what they got.
  const script = env("_") ?? "";
  const directory = script.slice(0, script.lastIndexOf("/") + 1);
  const base = baseName(script);
  return base !== "" && exists(`${directory}.${base}/deno.json`) ? base : undefined;
}

function bunName(call: Invocation): string {
  const { main = "", env } = call;
  if (isEmbedded(main)) return executableName(call);
  const starter = baseName(env("_") ?? "");
  if (starter === PROGRAM) return PROGRAM;
  if (isInPackages(main)) return `bunx ${PACKAGE}`;
  return starter === "bunx" ? `bunx ${PROGRAM}` : `bun ${shellWord(shortPath(main, call))}`;
}

/** The name of the executable into which the program was compiled, or its path as it was called. */
function executableName({ called, executable, env }: Invocation): string {
  if (called === undefined) return baseName(executable);
  const name = baseName(called);
  const [, directory] = /^(.*)[\\/]/.exec(called) ?? [];
  if (directory === undefined) return name;
  const onPath = env("PATH")?.split(/^[A-Z]:/i.test(executable) ? ";" : ":") ?? [];
  return onPath.includes(directory) ? name : shellWord(called);
}

function nodeName(call: Invocation): string {
  const { main = "", env } = call;
  const isBun = env("npm_config_user_agent")?.startsWith("bun/") || /[\\/]bunx-[^\\/]*/.test(main);
  const runPackage = isBun ? "bunx" : "npx";
  // Caches of packages that are not installed.
  if (/[\\/](?:_npx|bunx-[^\\/]*)[\\/]/.test(main)) return `${runPackage} ${PACKAGE}`;
  if (/[\\/]node_modules[\\/]\.bin[\\/][^\\/]+$/.test(main)) {
    return `${runPackage} ${baseName(main)}`;
  }
  // Some package managers start the package's file instead of the link to it.
  if (isInPackages(main)) {
    return baseName(env("_") ?? "") === PROGRAM ? PROGRAM : `${runPackage} ${PACKAGE}`;
  }
  const name = baseName(main);
  return /\.\w+$/.test(name) ? `node ${shellWord(shortPath(main, call))}` : name;
}

function isInPackages(path: string): boolean {
  return /[\\/]node_modules[\\/]@dispatch[\\/]sdk[\\/]/.test(path);
}

function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1)
    .replace(/\.(?:cmd|exe)$/i, "");
}

/** The path of a `file:` URL. On Windows it begins with a drive. */
function localPath(url: string): string {
  return decodeURIComponent(new URL(url).pathname).replace(/^\/(?=[A-Za-z]:)/, "");
}

/** A path as seen from the working directory, if it is below that. */
function shortPath(path: string, { directory }: Invocation): string {
  const below = directory.replaceAll("\\", "/").replace(/\/?$/, "/");
  const slashed = path.replaceAll("\\", "/");
  return slashed.startsWith(below) ? slashed.slice(below.length) : path;
}

/** Quotes a word for a shell, if it needs that. */
function shellWord(word: string): string {
  return /^[\w./:@%+\\-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
