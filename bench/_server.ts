import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** An embedded server in its own process. */
export interface BenchServer extends AsyncDisposable {
  /** The address. */
  url: string;
}

/** Starts the embedded server in its own process. It always runs on Node. */
export async function startServer(): Promise<BenchServer> {
  const entry = fileURLToPath(new URL("../runner.ts", import.meta.url));
  const child = spawn("node", [entry, "dev", "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await address(child);
  return {
    url,
    [Symbol.asyncDispose]: () => {
      const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      child.kill();
      return gone;
    },
  };
}

function address(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = "";
    child.stdout!.on("data", (chunk) => {
      printed += chunk;
      const url = /ws:\/\/\S+/.exec(printed)?.[0];
      if (url) resolve(url);
    });
    child.once("exit", (code) => reject(new Error(`The server exited with ${code}: ${printed}`)));
  });
}
