import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A server in a process of its own. */
export interface BenchServer extends AsyncDisposable {
  /** Where it listens. */
  url: string;
}

/** Starts the embedded server in a process of its own, on Node whatever the client runs on. */
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
    child.once("exit", (code) => reject(new Error(`The server ended with ${code}: ${printed}`)));
  });
}
