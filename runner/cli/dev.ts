import type { Command } from "./command.ts";
import { UsageError } from "./usage_error.ts";

/** Serves the embedded server until it is interrupted. */
export const dev: Command = {
  usage: "dev [file.ts]",
  description:
    "Serves the embedded server: the reference workload, or a file's jobs and workflows.",
  options: {
    port: { value: "N", description: "The port; a free one when it is not given." },
    help: { short: "h", description: "Shows this." },
  },
  async run({ positional, values }, { out, signal }) {
    const port = values.port === undefined ? 0 : Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65535) {
      throw new UsageError(`--port takes a number from 0 to 65535, not '${values.port}'`);
    }
    if (positional.length > 1) throw new UsageError("dev takes one file");
    const { serve } = await import("../../dev/mod.ts");
    const file = positional[0];
    await serve({
      ...(file === undefined ? {} : { file }),
      port,
      signal,
      print: (line: string) => out.write(`${line}\n`),
    });
    return 0;
  },
};
