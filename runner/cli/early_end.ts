import { onExit, setExitCode, writeStandard } from "../../runtime/process.ts";
import { callSites } from "../events/call_site.ts";
import { printable } from "../language/render_diagnostic.ts";
import { defuseCiCommands } from "../report/safe_text.ts";
import { COULD_NOT_RUN } from "./command.ts";

/** Whether the end of the process is watched already, as in a recipe that runs as a program. */
let isWatching = false;

/**
 * If the process ends before its command has ended, reports that and makes it exit with 3. This covers
 * what the script guard cannot prevent: an exit by code that ran before the guard started, and a
 * process in which nothing is left to wait for.
 *
 * @returns A function to call when the command has ended.
 */
export function reportEarlyEnd(): () => void {
  if (isWatching) return () => {};
  isWatching = true;
  const removeListener = onExit(() => {
    const [site] = callSites(new Error().stack);
    const why = site
      ? `the code at ${site.file}:${site.line}:${site.column} has ended the process`
      : "nothing was left that it could wait for";
    const line = defuseCiCommands(printable(why));
    writeStandard("stderr", `error: the run did not reach its end: ${line}\n`);
    setExitCode(COULD_NOT_RUN);
  });
  return () => {
    isWatching = false;
    removeListener();
  };
}
