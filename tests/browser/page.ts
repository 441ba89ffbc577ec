// The script of the page. The test that opens it lends it `cut` and `connections`.
import { type Env, SCENARIOS } from "./core.ts";

declare global {
  var cut: Env["cut"];
  var connections: Env["connections"];
  var runCore: (name: string, url: string) => Promise<unknown>;
}

globalThis.runCore = (name, url) => SCENARIOS[name]!.run({ url, cut, connections });
