// Finds the browser of the browser tests, for `run.mjs` and for the tests.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** The message for a machine without Chromium. */
export const NO_CHROMIUM =
  "no Chromium was found; install it with `apt-get update && apt-get install -y chromium`, " +
  "or say where one is with CHROMIUM=<path>";

/**
 * Finds the path of Chromium.
 * @returns {string | undefined}
 */
// deno-lint-ignore explicit-module-boundary-types -- JavaScript, its types are above.
export function findChromium() {
  const { CHROMIUM, PATH = "" } = process.env;
  if (CHROMIUM) return existsSync(CHROMIUM) ? CHROMIUM : undefined;
  return PATH.split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}
